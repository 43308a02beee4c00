"""A shop's papers by the command line: statement and bank file in, held against the books, three breaks resolved by rule,
and the books accepted by another program.
"""

import json
import shutil
import subprocess

import pytest
from tests.integration.reconciliation.test_reconciling import camt, row, stripe

pytestmark = [pytest.mark.db, pytest.mark.slow]
AT = "2011-05-02T09:00:00Z"
PAID = {1: (1000, 59), 2: (2500, 103), 3: (400, 42), 4: (900, 56)}


def line(event_type, name, **data):
    return json.dumps({
        "specversion": "1.0", "id": f"{event_type}/{name}", "source": "shop", "type": event_type,
        "subject": f"order/{name}", "time": AT, "data": data,
    })  # fmt: skip


def facts():
    """Four payments with their fees, and a payout of two of them."""
    for number, (amount, fee) in PAID.items():
        one = {"payment_id": f"ch_{number}", "order_id": f"o{number}", "currency": "USD", "processor": "stripe"}
        yield line("PaymentCaptured", number, amount_minor=amount, **one)
        yield line("FeeCharged", number, fee_id=f"f{number}", kind="processing", amount_minor=fee, **one)
    yield line("PayoutSent", "po", payout_id="po_1xyz", processor="stripe", currency="USD", amount_minor=3000)


def test_papers_come_in_breaks_are_resolved_and_another_program_accepts_the_books(make_shop, tmp_path):
    shop = make_shop()

    def ask(*words, code=0):
        return shop.json(*words, code=code, here=True)

    def paper(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    events = paper("events.jsonl", "\n".join(facts()).encode())
    assert ask("events", "ingest", events)["accepted"] == 9

    # A wrong fee, a refund nobody ordered, a payment that is not there.
    rows = (row(1, 10, 0.59), row(2, 25, 2.03), row(4, 9, 0.56), row(5, -3, 0, "refund", "re_9"))
    statement = paper("payout.csv", stripe(*rows))
    made = ask("settlement", "import", statement, "--provider", "stripe")
    assert (made["outcome"], made["lines"], made["totals"], made["control_total_ok"]) == (
        "taken",
        4,
        {"USD": 3782},
        None,
    )
    assert ask("settlement", "import", statement, "--provider", "stripe")["outcome"] == "known"
    bank = camt("3000", "po_1xyz")
    assert ask("settlement", "import", paper("bank.xml", bank), "--provider", "camt")["control_total_ok"] is True
    wrong = paper("wrong.xml", bank.replace(b">30.00<", b">30.01<", 1))
    refused = ask("settlement", "import", wrong, "--provider", "camt", code=1)
    assert (refused["outcome"], refused["control_total_ok"]) == ("refused", False)
    assert shop.here("settlement", "import", paper("no.xml", b"<"), "--provider", "camt").returncode in (1, 2)

    report = ask("reconcile", "--as-of", "2011-06-30T00:00:00Z")
    assert report["conserved"] is True
    assert (report["lines"], report["matched"]) == (5, 3)
    assert sorted(one["type"] for one in report["breaks"]) == ["fee", "missing", "orphan_refund"]
    for one in report["breaks"]:
        how = "claim" if one["type"] != "orphan_refund" else "accept"
        assert ask("breaks", "resolve", one["id"], "--how", how, "--by", "ana", "--reason", "looked")["posting"]
    assert ask("breaks")["breaks"] == []
    assert ask("reconcile", "--as-of", "2011-06-30T00:00:00Z")["breaks"] == []
    checked = ask("ledger", "check")
    assert (checked["balanced"], checked["violations"]) == (True, [])

    # What the provider still holds is what it told, less what it sent: the books agree with the statement to the cent.
    accounts = {one["code"]: one["amount_minor"] for one in ask("ledger", "balances")["accounts"]}
    assert accounts["assets:clearing:stripe"] == 3782 - 3000
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed: `make oracles` installs it on Debian")
    journal = tmp_path / "books.journal"
    assert ask("ledger", "export", "--format", "hledger", "-o", journal)["transactions"] == 12
    assert subprocess.run([hledger, "-f", journal, "check"], capture_output=True, check=False).returncode == 0
