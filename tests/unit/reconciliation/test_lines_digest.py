"""The digest that tells a corrected statement from a known one: of old statements it is kept, so it never changes."""

import hashlib
import json
from datetime import UTC, date, datetime

import pytest

from steward.contracts.settlement import BankLine, StatementLine
from steward.infra.copying import CHUNK
from steward.reconciliation.store.statements import lines_digest

AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def sold(n):
    refs = (("payment", f"pi_{n}\u2028\n"), ("order", '"é\\"'))
    return StatementLine(n, f"txn_{n}", "payment", "charge", "USD", 1000 + n, 30, 970 + n, AT, None, refs)


def paid_in(n):
    return BankLine(
        n, f"e{n}", "EUR", n, date(2026, 3, 4), None, False, n == 1, "PAYOUT", "Stripe", (("bank", f"b{n}"),)
    )


def told(line):
    """A row as it was first digested: JSON of its columns, the references as JSON in a text."""
    refs = json.dumps(line.refs, ensure_ascii=False, separators=(",", ":"))
    if isinstance(line, BankLine):
        day = line.booked.isoformat()
        own = [line.currency, line.amount_minor, day, None, line.pending, line.reversal, line.text, line.counterparty]
        return [line.key, line.number, *own, refs]
    own = [line.type, line.raw_type, line.currency, line.gross_minor, line.fee_minor, line.net_minor]
    return [line.key, line.number, *own, "2026-03-04T12:00:00Z", None, refs]


@pytest.mark.parametrize("made", [sold, paid_in])
@pytest.mark.parametrize("count", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7])
def test_it_is_that_of_one_list_of_rows_however_many_there_are(made, count):
    lines = [made(n) for n in range(count)]
    text = json.dumps([told(line) for line in lines], ensure_ascii=False, separators=(",", ":"))
    assert lines_digest(lines) == hashlib.sha256(text.encode()).digest()
    changed = [*lines, made(count)]
    assert lines_digest(changed) != lines_digest(lines)
