"""How a shop's published order history becomes events."""

from __future__ import annotations

from steward.contracts.base import Contract, Currency


class HistoryRules(Contract):
    """Column names, document prefixes and codes with a meaning of their own; `assumptions` are printed."""

    source: str
    currency: Currency
    processor: str
    channel: str
    columns: tuple[str, ...]
    refund_prefix: str
    bad_debt_prefix: str
    fee_codes: frozenset[str]
    shipping_codes: frozenset[str]
    unpriced_codes: frozenset[str] = frozenset()
    unpriced_prefixes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
