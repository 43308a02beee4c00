"""Files into the database, held against the books: kept once, superseded with a trace, matched, named, resolved by rule;
nothing in two matches, whoever writes.
"""

import json
import os
from datetime import timedelta

import msgspec
import psycopg
import pytest

from steward.contracts.event import Envelope
from steward.kernel.errors import BadInput, Conflict

pytestmark = pytest.mark.db
HEAD = (
    "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created,available_on,currency,gross,fee,"
    "net,reporting_category,source_id,charge_id,payment_intent_id,payment_method_type,description\n"
)


def row(number, gross, fee, category="charge", source=None):
    at = f"2011-05-03 10:00:0{number}"
    net = f"{(round(gross * 100) - round(fee * 100)) / 100:.2f}"
    own = source or f"ch_{number}"
    return f"po_1,2011-05-04 00:00:00,txn_{number},{at},{at},usd,{gross:.2f},{fee:.2f},{net},{category},{own},{own},,card,x\n"


def stripe(*rows):
    return (HEAD + "".join(rows)).encode()


def event(event_type, name, at, **data):
    return Envelope(
        id=f"{event_type}/{name}", source="shop", type=event_type, subject=f"order/{name}", time=at, data=data
    )


@pytest.fixture
def books(shop):
    """A shop that knows three payments with their fees, and a refund."""
    at = shop.clock.now()
    facts = []
    for number, amount, fee in ((1, 1000, 59), (2, 2500, 103), (3, 400, 42)):
        payment = {"payment_id": f"ch_{number}", "order_id": f"o{number}", "currency": "USD", "processor": "stripe"}
        facts.append(event("PaymentCaptured", str(number), at, amount_minor=amount, **payment))
        fees = {"fee_id": f"f{number}", "kind": "processing", "amount_minor": fee, **payment}
        facts.append(event("FeeCharged", str(number), at, **fees))
    facts.append(
        event(
            "RefundProcessed", "r1", at, refund_id="re_1", currency="USD", amount_minor=300, method="original",
            processor="stripe", payment_id="ch_2", order_id="o2",
        )
    )  # fmt: skip
    shop.app.events.append(facts)
    shop.app.events.sequence()
    shop.clock.advance(timedelta(days=3))
    return shop


GOOD = stripe(row(1, 10, 0.59), row(2, 25, 1.03), row(3, 4, 0.42), row(4, -3, 0, "refund", "re_1"))


def take(shop, content, name="payout.csv", provider="stripe"):
    return shop.app.settlement_files.take(provider, name, content, "ana")


def run(shop, side="statement", days=0):
    return shop.app.reconciliation.run(side, "ana", shop.clock.now() + timedelta(days=days))


def test_a_clean_statement_is_matched_whole_and_the_same_file_is_a_no_op(books):
    made = take(books, GOOD)
    assert (made["outcome"], made["lines"], made["totals"], made["control_total_ok"]) == (
        "taken",
        4,
        {"USD": 3396},
        None,
    )
    assert take(books, GOOD)["outcome"] == "known"
    report = run(books)
    assert (report["lines"], report["matched"], report["breaks"], report["conserved"]) == (4, 4, 0, True)
    before = books.one("SELECT count(*) FROM recon_match")
    assert run(books)["digest"] == report["digest"]
    assert books.one("SELECT count(*) FROM recon_match") == before, "an equal run writes no match"
    (one,) = books.app.settlement_files.listed()
    assert (one["done"], one["lines"], one["net_minor"]) == (4, 4, 3396)


def test_a_run_that_cannot_read_what_is_kept_lets_go_of_the_database(books):
    take(books, stripe(row(1, 10, 0.59)))
    books.app.reconciliation.catch_up()
    with books.app.database.transaction() as connection:
        connection.execute(
            """INSERT INTO expectation SELECT side, key || 'x', provider, type, currency, gross_minor, fee_minor, at,
               '["no pair"]', position FROM expectation LIMIT 1"""
        )
    with pytest.raises(msgspec.ValidationError):
        run(books)
    with books.app.database.transaction() as connection:
        connection.execute("DELETE FROM expectation WHERE key LIKE '%x'")
    assert run(books)["matched"] == 1


def test_a_wrong_fee_and_a_lost_payment_are_exactly_those_breaks(books):
    take(books, stripe(row(1, 10, 0.59), row(2, 25, 2.03), row(4, -3, 0, "refund", "re_1")))
    report = run(books, days=30)
    found = {one["type"]: one for one in books.app.reconciliation.breaks()}
    assert report["breaks"] == 2
    assert set(found) == {"fee", "missing"}
    assert (found["fee"]["amount_minor"], found["missing"]["amount_minor"]) == (-100, -358)
    assert [item["key"] for item in found["missing"]["items"]] == ["stripe/payment/ch_3"]
    assert books.app.reconciliation.breaks(kind="fee")[0]["ways"][0]["posting"] == {
        "debit": "assets:receivable",
        "credit": "assets:clearing:stripe",
        "amount_minor": 100,
        "currency": "USD",
    }
    books.app.events.sequence()
    told = [e.envelope.data["code"] for e in books.app.events.read(types=["ReconciliationMismatch"])]
    assert sorted(told) == ["fee", "missing"]
    run(books, days=30)
    books.app.events.sequence()
    assert len(books.app.events.read(types=["ReconciliationMismatch"])) == 2, "what is known is not told again"


def test_resolving_posts_by_rule_once_and_no_run_sees_it_again(books):
    take(books, stripe(row(1, 10, 0.59), row(2, 25, 2.03), row(3, 4, 0.42), row(4, -3, 0, "refund", "re_1")))
    run(books)
    (one,) = books.app.reconciliation.breaks()
    with pytest.raises(BadInput, match="not resolved by"):
        books.app.reconciliation.resolve(one["id"], "nonsense", "ana", "why")
    with pytest.raises(BadInput, match="reason"):
        books.app.reconciliation.resolve(one["id"], "claim", "ana", " ")
    done = books.app.reconciliation.resolve(one["id"], "claim", "ana", "charged beyond the contract")
    assert done["posting"]["amount_minor"] == 100
    with pytest.raises(Conflict):
        books.app.reconciliation.resolve(one["id"], "claim", "ana", "again")
    books.app.events.sequence()
    books.app.money_events.post_pending()
    balances = {b["code"]: b["amount_minor"] for b in balances_of(books)}
    assert balances["assets:receivable"] == 100
    assert books.app.books.check().violations == []
    report = run(books)
    assert (report["breaks"], report["lines"]) == (0, 3)


def balances_of(shop):
    rows = shop.rows("SELECT a.code, b.amount_minor FROM balance b JOIN account a USING (account_id)")
    return [{"code": code, "amount_minor": amount} for code, amount in rows]


def test_a_corrected_file_supersedes_and_its_matches_are_undone_with_a_trace(books):
    take(books, stripe(row(1, 10, 0.59), row(2, 25, 2.03), row(3, 4, 0.42), row(4, -3, 0, "refund", "re_1")))
    run(books)
    assert len(books.app.reconciliation.breaks()) == 1
    made = take(books, GOOD, "payout-corrected.csv")
    assert made["settlements"][0]["outcome"] == "corrected"
    assert books.one("SELECT count(*) FROM recon_match WHERE undone_why LIKE 'superseded by stl_%'") == 3
    report = run(books)
    assert (report["matched"], report["breaks"]) == (4, 0)
    assert books.app.reconciliation.breaks() == []
    gone = books.app.reconciliation.breaks("gone")
    assert [one["type"] for one in gone] == ["fee"]
    assert books.one("SELECT count(*) FROM settlement WHERE superseded_by IS NOT NULL") == 1


def test_a_refused_file_leaves_its_content_and_its_reason_alone(books):
    wrong = camt("3396", "po_1xyz").replace(b">33.96<", b">33.97<", 1)
    made = take(books, wrong, "bank.xml", "camt")
    assert (made["outcome"], made["control_total_ok"]) == ("refused", False)
    assert made["rejected"][0]["reason"]
    assert books.one("SELECT count(*) FROM settlement") == 0
    assert books.one("SELECT count(*) FROM bank_line") == 0
    assert [one["refused"] for one in books.app.settlement_files.refused()] == [made["rejected"][0]["reason"]]
    kept = list((books.app.settings.home / "settlement-files").rglob("*"))
    assert [path.read_bytes() for path in kept if path.is_file()] == [wrong]


def test_a_person_undoes_a_match_and_the_next_run_finds_it_again(books):
    take(books, GOOD)
    run(books)
    number = books.app.reconciliation.matches(key="stripe/payment/ch_1")[0]["match_no"]
    books.app.reconciliation.undo(number, "ana", "let me look")
    with pytest.raises(BadInput):
        books.app.reconciliation.undo(number, "ana", "twice")
    assert run(books)["matched"] == 4
    assert books.app.reconciliation.matches(key="stripe/payment/ch_1")[0]["match_no"] != number


def test_the_application_role_can_neither_change_a_line_nor_put_an_item_into_two_matches(books):
    take(books, GOOD)
    run(books)
    for attempt in (
        "UPDATE settlement_line SET net_minor = 0",
        "DELETE FROM settlement",
        "UPDATE settlement SET net_minor = 0",
        "DELETE FROM recon_item",
        "UPDATE recon_match SET rule = 'x'",
        "INSERT INTO recon_item SELECT item_side, book, key, match_no, break_id, amount_minor, currency FROM recon_item",
    ):
        wrong = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UniqueViolation, psycopg.errors.RestrictViolation)
        with pytest.raises(wrong), books.app.database.transaction() as connection:
            connection.execute(attempt)


def settled(shop):
    shop.app.events.sequence()
    found = shop.app.events.read(types=["SettlementReconciled"])
    return [(e.envelope.data["matched"], e.envelope.data["mismatches"]) for e in found]


def test_a_statement_is_said_to_be_reconciled_once_for_each_outcome(books):
    take(books, stripe(row(1, 10, 0.59), row(2, 25, 2.03), row(3, 4, 0.42), row(4, -3, 0, "refund", "re_1")))
    run(books)
    run(books)
    assert settled(books) == [(3, 1)]
    books.app.reconciliation.resolve(books.app.reconciliation.breaks()[0]["id"], "claim", "ana", "looked")
    run(books)
    run(books)
    assert settled(books) == [(3, 1), (4, 0)], "what a person settled is no mismatch any more"
    books.app.reconciliation.undo(
        books.app.reconciliation.matches(rule="exact_id")[0]["match_no"], "ana", "let me look"
    )
    run(books)
    assert len(settled(books)) == 2, "the next run found it again"
    take(books, stripe(row(1, 10, 0.59), row(2, 25, 1.03), row(3, 4, 0.31)), "corrected.csv")
    run(books)
    assert settled(books)[2:] == [(2, 1)], "a corrected statement is another one"


def test_what_stays_unsettled_for_half_a_year_is_a_break_and_its_late_line_is_matched(books):
    take(books, stripe(row(1, 10, 0.59), row(4, -3, 0, "refund", "re_1")))
    books.clock.advance(timedelta(days=200))
    report = run(books)
    assert (report["matched"], report["breaks"]) == (2, 2)
    missing = {one["items"][0]["key"]: one["id"] for one in books.app.reconciliation.breaks(kind="missing")}
    assert set(missing) == {"stripe/payment/ch_2", "stripe/payment/ch_3"}
    take(books, stripe(row(2, 25, 1.03)).replace(b"po_1", b"po_9"), "old.csv")
    report = run(books)
    assert (report["matched"], report["breaks"]) == (3, 1)
    assert [one["id"] for one in books.app.reconciliation.breaks()] == [missing["stripe/payment/ch_3"]]
    books.clock.advance(timedelta(days=200))
    assert (run(books)["breaks"], len(books.app.reconciliation.breaks("open"))) == (1, 1), "it stays"


def test_a_line_that_repeats_an_old_match_is_a_duplicate(books):
    take(books, GOOD)
    run(books)
    before = books.one("SELECT count(*) FROM recon_match")
    books.clock.advance(timedelta(days=200))
    take(books, stripe(row(2, 25, 1.03)).replace(b"po_1", b"po_9").replace(b"txn_2", b"txn_9"), "again.csv")
    report = run(books)
    assert (report["lines"], report["matched"], report["breaks"]) == (2, 1, 1)
    (one,) = books.app.reconciliation.breaks()
    assert (one["type"], one["items"][0]["key"]) == ("duplicate", "stripe/po_9/txn_9")
    assert run(books)["digest"] == report["digest"]
    assert books.one("SELECT count(*) FROM recon_match") == before, "the old match stands as it was"


def test_files_in_the_watched_folder_are_taken_and_moved(books):
    folder = books.app.settings.home / "settlements"
    inbox = folder / "inbox" / "stripe"
    inbox.mkdir(parents=True)
    old = books.clock.now().timestamp() - 3600
    for name, content in (("good.csv", GOOD), ("bad.csv", b"what is this"), ("young.csv", GOOD)):
        (inbox / name).write_bytes(content)
        os.utime(inbox / name, (old, old))
    os.utime(inbox / "young.csv", (old + 3599, old + 3599))
    made = {one["name"]: one["outcome"] for one in books.app.watched_folder.look(books.clock.now())}
    assert made == {"good.csv": "taken", "bad.csv": "refused"}
    assert (folder / "taken/stripe/good.csv").read_bytes() == GOOD
    assert (folder / "refused/stripe/bad.csv.reason.txt").read_text()
    assert [path.name for path in inbox.iterdir()] == ["young.csv"], "what may not be whole yet stays"
    assert run(books)["matched"] == 4


def test_the_bank_confirms_a_payout(books):
    at = books.clock.now()
    sent = event("PayoutSent", "po_1", at, payout_id="po_1xyz", processor="stripe", currency="USD", amount_minor=3396)
    books.app.events.append([sent])
    books.app.events.sequence()
    statement = camt("3396", "po_1xyz")
    assert take(books, statement, "bank.xml", "camt")["control_total_ok"] is True
    report = run(books, "bank", days=1)
    assert (report["matched"], report["breaks"]) == (1, 0)
    (match,) = books.app.reconciliation.matches(rule="exact_id")
    assert {item["side"] for item in match["items"]} == {"bank", "books"}
    assert json.dumps(match["evidence"])


def camt(minor, reference, day="2011-05-05", name="s1", opening=0):
    """A bank's statement of one entry: `minor` came in, or, below nothing, went out."""

    def major(amount):
        return f"{amount // 100}.{amount % 100:02d}"

    minor, side = int(minor), "CRDT" if int(minor) > 0 else "DBIT"
    balance = (
        '<Bal><Tp><CdOrPrtry><Cd>{}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )
    return (
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr>'
        f"<MsgId>m</MsgId><CreDtTm>{day}T00:00:00Z</CreDtTm></GrpHdr><Stmt><Id>{name}</Id>"
        f"<CreDtTm>{day}T00:00:00Z</CreDtTm><Acct><Id><Othr><Id>A</Id></Othr></Id></Acct>"
        f"{balance.format('OPBD', major(opening))}{balance.format('CLBD', major(opening + minor))}"
        f'<Ntry><Amt Ccy="USD">{major(abs(minor))}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{day}'
        f"</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"
    ).encode()
