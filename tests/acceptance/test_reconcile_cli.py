"""A week of a shop's papers by the command line: statement and bank file in, held against the books, three breaks
resolved by rule, a creator paid through the bank's API and seen to land, the day closed, and the books accepted by another
program.
"""

import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.integration.reconciliation.test_reconciling import camt, row, stripe

pytestmark = [pytest.mark.db, pytest.mark.slow]
AT = "2011-05-02T09:00:00Z"
CATALOG = Path(__file__).parents[2] / "src/steward/catalog"
CREATOR = "creator-001"
PAID = {1: (1000, 59), 2: (2500, 103), 3: (400, 42), 4: (900, 56)}


def line(event_type, name, **data):
    return json.dumps({
        "specversion": "1.0", "id": f"{event_type}/{name}", "source": "shop", "type": event_type,
        "subject": f"order/{name}", "time": AT, "data": data,
    })  # fmt: skip


def facts():
    """Four payments with their fees and a creator's share of each, and a payout of two of them."""
    for number, (amount, fee) in PAID.items():
        one = {"payment_id": f"ch_{number}", "order_id": f"o{number}", "currency": "USD", "processor": "stripe"}
        yield line("PaymentCaptured", number, amount_minor=amount, **one)
        yield line("FeeCharged", number, fee_id=f"f{number}", kind="processing", amount_minor=fee, **one)
        due = {"commission_id": f"c{number}", "creator_id": CREATOR, "eligible_at": "2011-06-01T00:00:00Z"}
        yield line("CommissionEarned", number, currency="USD", amount_minor=400, order_id=f"o{number}", **due)
    yield line("PayoutSent", "po", payout_id="po_1xyz", processor="stripe", currency="USD", amount_minor=3000)


@pytest.fixture(scope="module")
def bank():
    """The bank of a simulated shop, in Mercury's dialect, over a real socket."""
    command = [sys.executable, "-m", "livemarket", "serve", "--seed", "3", "--days", "2", "--speed", "manual", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield json.loads(process.stdout.readline())["faces"]["bank"]
    process.terminate()
    process.communicate(timeout=30)


@pytest.fixture
def dollars(tmp_path):
    """The shipped catalog for a business whose money is dollars, and where a second is enough to read."""
    folder = tmp_path / "catalog"
    shutil.copytree(CATALOG, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.gz"))
    ours = [file for file in folder.rglob("*.yaml") if file.name != "reconciliation.yaml"]  # it has both
    for file in [*ours, folder / "theorems.json", folder / "dead_rules.json"]:
        text = file.read_text(encoding="utf-8").replace("GBP", "USD")
        text = text.replace("approval_reading_seconds, value: 20", "approval_reading_seconds, value: 1")
        file.write_text(text, encoding="utf-8")
    return folder


class Week:
    """A shop with commands, people and papers."""

    def __init__(self, shop, folder, bank, catalog):
        self.shop, self.folder, self.bank = shop, folder, bank
        shop.env["STEWARD_CATALOG"] = str(catalog)
        shop.env["STEWARD_ADDRESS_MERCURY"] = f"{bank['url']}/api/v1"
        shop.env["STEWARD_KEY_MERCURY_TOKEN"] = bank["token"]
        shop.env["STEWARD_SETTING_MERCURY_ACCOUNT_ID"] = bank["mercury_account"]

    def ask(self, *words, code=0, key=None):
        """A command in this process: there are many."""
        if key:
            self.shop.env["STEWARD_API_KEY"] = key
        try:
            return self.shop.json(*words, code=code, here=True)
        finally:
            self.shop.env.pop("STEWARD_API_KEY", None)

    def paper(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def transfers(self):
        """What the bank says it sent."""
        url = f"{self.bank['url']}/api/v1/account/{self.bank['mercury_account']}/transactions"
        given = httpx.get(url, headers={"authorization": f"Bearer {self.bank['token']}"}, trust_env=False)
        return given.json()["transactions"]


def papers(week):
    """Statement and bank file in, wrong ones refused, three breaks resolved."""
    ask, paper = week.ask, week.paper
    events = paper("events.jsonl", "\n".join(facts()).encode())
    assert ask("events", "ingest", events)["accepted"] == 13

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
    assert week.shop.here("settlement", "import", paper("no.xml", b"<"), "--provider", "camt").returncode in (1, 2)

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


def pay(week, people):
    """Two people let an address in, the founder agrees to a payout, the bank sends it once."""
    ana, eve = people
    ask = week.ask
    from livemarket.faces.bank.mercury import recipient

    address = f"mercury:{recipient(CREATOR)}"
    words = ("payouts", "payee", CREATOR, address, "--name", "Mia Example", "--called-by", "ben")
    assert ask("payouts", "prepare")["waiting"][0]["code"] == "no_payee"
    action = ask(*words, "--by", "fay")["id"]
    for key in (ana, eve):
        ask("approvals", "show", action, key=key)
        time.sleep(1.1)  # reading takes a second here
        done = ask("approvals", "approve", action, key=key)
    assert done["state"] == "succeeded"
    assert [one["payee"] for one in ask("payouts", "payees")["items"]] == [address]

    made = ask("payouts", "prepare", "--by", "fay")
    payout = made["payouts"][0]
    assert (payout["amount_minor"], payout["state"]) == (1200, "open"), "o3 is claimed: nobody told that it was paid"
    assert made["waiting"][0]["waiting"] == {"not_settled": 400}
    assert ask("payouts", "approve", payout["payout_id"], key=ana, code=1)["code"] == "read_first"
    ask("action", "send")
    assert week.transfers() == []
    ask("payouts", "show", payout["payout_id"], key=ana)
    time.sleep(1.1)
    assert ask("payouts", "approve", payout["payout_id"], key=ana)["state"] == "ready"
    ask("action", "send")
    ask("action", "send")
    sent = week.transfers()
    assert [(one["amount"], one["externalMemo"]) for one in sent] == [(-12.0, payout["reference"])]
    assert [one["state"] for one in ask("payouts", "list")["items"]] == ["sent"]
    return payout


def test_a_week_of_papers_ends_in_a_landed_payout_and_books_another_program_accepts(make_shop, tmp_path, bank, dollars):
    week = Week(make_shop(), tmp_path, bank, dollars)
    papers(week)
    ana = week.ask("keys", "create", "--name", "ana", "--role", "founder")["key"]
    eve = week.ask("keys", "create", "--name", "eve", "--role", "founder", key=ana)["key"]
    assert week.ask("tools", "check", "mercury")["passed"] is True
    payout = pay(week, (ana, eve))

    today = f"{datetime.now(UTC):%Y-%m-%d}"
    landed = camt(-1200, payout["reference"], today, "s2", 3000)
    assert week.ask("settlement", "import", week.paper("bank2.xml", landed), "--provider", "camt")["lines"] == 1
    assert week.ask("reconcile")["breaks"] == []
    (one,) = week.ask("payouts", "list")["items"]
    assert (one["state"], "s2" in one["landed_ref"]) == ("landed", True)

    day = ("2011-05-02", "--from", "2011-05-02", "--until", "2011-05-03", "--currency", "USD")
    week.ask("ledger", "close", *day, "--by", "ana", "--reason", "the week is done")
    checked = week.ask("ledger", "check")
    assert (checked["balanced"], checked["violations"]) == (True, [])
    accounts = {one["code"]: one["amount_minor"] for one in week.ask("ledger", "balances")["accounts"]}
    assert accounts["liabilities:payable:creators"] == -400
    assert accounts["assets:bank"] == -1200, (
        "what came from the processor is in transit until it is told to have landed"
    )
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed: `make oracles` installs it on Debian")
    journal = tmp_path / "books.journal"
    assert week.ask("ledger", "export", "--format", "hledger", "-o", journal)["transactions"] == 17
    assert subprocess.run([hledger, "-f", journal, "check"], capture_output=True, check=False).returncode == 0
