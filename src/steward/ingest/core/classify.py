"""What each document of the history is: an order, a refund, or something listed by rule. Pure.

The definitions: an order is an all-digit number with at least one positive quantity; a refund is a document with
the refund prefix unless all its lines carry fee codes; all else is an adjustment or write-off and is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from steward.contracts.event import Envelope
from steward.contracts.history import HistoryRules
from steward.ingest.core.rows import HistoryRow
from steward.kernel.canonical import JsonObject
from steward.kernel.ids import idempotency_key


@dataclass(frozen=True, slots=True)
class Listed:
    """A line that did not become part of an event, and the rule that says why."""

    rule: str
    line_in_document: int
    row: HistoryRow


@dataclass(slots=True)
class Tally:
    """Lines and pence a rule touched."""

    lines: int = 0
    value_minor: int = 0

    def add(self, rows: Iterable[HistoryRow]) -> None:
        for row in rows:
            self.lines += 1
            self.value_minor += row.value_minor


@dataclass(slots=True)
class Reading:
    """A whole file, understood: its events in time order, its listed lines, and a tally of every rule."""

    envelopes: list[Envelope] = field(default_factory=list[Envelope])
    listed: list[Listed] = field(default_factory=list[Listed])
    tallies: dict[str, Tally] = field(default_factory=dict[str, Tally])
    lines: int = 0

    def tally(self, rule: str, rows: Iterable[HistoryRow]) -> None:
        self.tallies.setdefault(rule, Tally()).add(rows)


def classify(rows: list[HistoryRow], rules: HistoryRules) -> Reading:
    """Group lines by document, say what each is, and build its events."""
    documents: dict[str, list[HistoryRow]] = {}
    for row in rows:
        documents.setdefault(row.document, []).append(row)
    reading = Reading(lines=len(rows))
    dated = sorted(documents.values(), key=lambda lines: (min(r.at for r in lines), lines[0].file_line))
    for lines in dated:
        rule = rule_of(lines, rules)
        reading.tally(rule, lines)
        if rule == "order":
            reading.envelopes += order_events(lines, rules)
        elif rule == "refund":
            reading.envelopes.append(refund_event(lines, rules))
        else:
            reading.listed += [Listed(rule, i, row) for i, row in enumerate(lines, start=1)]
        if rule in {"order", "refund"}:
            _tally_oddities(reading, lines)
    return reading


def rule_of(lines: list[HistoryRow], rules: HistoryRules) -> str:
    document = lines[0].document
    if document.isdigit():
        return "order" if any(row.quantity > 0 for row in lines) else "stock_write_off"
    if document.startswith(rules.refund_prefix) and document[len(rules.refund_prefix) :].isdigit():
        fees_only = all(row.sku in rules.fee_codes for row in lines)
        return "fee_adjustment" if fees_only else "refund"
    if document.startswith(rules.bad_debt_prefix):
        return "bad_debt"
    return "unknown_document"


def _tally_oddities(reading: Reading, lines: list[HistoryRow]) -> None:
    """Oddities that are kept inside orders and refunds, counted so that the reader can see them."""
    oddities = {
        "missing_customer": [row for row in lines if row.customer is None],
        "zero_price": [row for row in lines if not row.unit_price],
        "fraction_of_a_penny": [row for row in lines if row.unit_price * 100 % 1],
        "equal_lines": _repeated(lines),
    }
    for rule, rows in oddities.items():
        if rows:
            reading.tally(rule, rows)


def _repeated(lines: list[HistoryRow]) -> list[HistoryRow]:
    seen: Counter[tuple[str, int, str]] = Counter()
    repeated: list[HistoryRow] = []
    for row in lines:
        key = (row.sku, row.quantity, str(row.unit_price))
        seen[key] += 1
        if seen[key] > 1:
            repeated.append(row)
    return repeated


def _line(row: HistoryRow, sign: int) -> JsonObject:
    line: JsonObject = {
        "sku": row.sku,
        "quantity": sign * row.quantity,
        "total_minor": sign * row.value_minor,
    }
    if row.description:
        line["description"] = row.description
    pence = row.unit_price * 100
    if pence == int(pence):
        line["unit_minor"] = int(pence)
    else:
        line["unit_price"] = str(row.unit_price)
    return line


def _common(lines: list[HistoryRow], rules: HistoryRules) -> JsonObject:
    common: JsonObject = {"currency": rules.currency, "country": lines[0].country}
    customer = next((row.customer for row in lines if row.customer), None)
    if customer:
        common["customer_id"] = customer
    return common


def order_events(lines: list[HistoryRow], rules: HistoryRules) -> Iterator[Envelope]:
    """OrderPlaced, and PaymentCaptured where there is money to capture."""
    order_id, at = lines[0].document, min(row.at for row in lines)
    total = sum(row.value_minor for row in lines)
    shipping = sum(row.value_minor for row in lines if row.sku in rules.shipping_codes)
    shipping = max(0, min(shipping, total))
    placed = Envelope(
        id=idempotency_key("order", order_id),
        source=rules.source,
        type="OrderPlaced",
        subject=f"order/{order_id}",
        time=at,
        correlationid=f"order/{order_id}",
        data={
            **_common(lines, rules),
            "order_id": order_id,
            "total_minor": total,
            "shipping_minor": shipping,
            "channel": rules.channel,
            "lines": [_line(row, 1) for row in lines],
        },
    )
    yield placed
    if total > 0:
        yield Envelope(
            id=idempotency_key("payment", order_id),
            source=rules.source,
            type="PaymentCaptured",
            subject=f"order/{order_id}",
            time=at,
            correlationid=f"order/{order_id}",
            causationid=placed.id,
            data={
                "payment_id": f"invoice-{order_id}",
                "order_id": order_id,
                "currency": rules.currency,
                "amount_minor": total,
                "shipping_minor": shipping,
                "processor": rules.processor,
            },
        )


def refund_event(lines: list[HistoryRow], rules: HistoryRules) -> Envelope:
    refund_id = lines[0].document
    return Envelope(
        id=idempotency_key("refund", refund_id),
        source=rules.source,
        type="RefundProcessed",
        subject=f"refund/{refund_id}",
        time=min(row.at for row in lines),
        correlationid=f"refund/{refund_id}",
        data={
            **_common(lines, rules),
            "refund_id": refund_id,
            "amount_minor": -sum(row.value_minor for row in lines),
            "processor": rules.processor,
            "lines": [_line(row, -1) for row in lines],
        },
    )
