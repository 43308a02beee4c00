"""The tables of payouts."""

from steward.payouts.store.payouts import PayoutStore, Row

__all__ = ["PayoutStore", "Row"]
