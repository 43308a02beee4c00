"""Every format by a small file of our own: what is read, which totals hold it, and what breaks it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from steward.kernel.errors import BadInput
from steward.reconciliation.readers import PROVIDERS, read

FILES = Path(__file__).parent / "files"

# file -> (format, whether totals were held, money by statement in minor units, rows that moved nothing)
GOOD = {
    "stripe_reconciliation.csv": ("stripe payout reconciliation itemised", None, {"po_A1": 7935, "po_J1": 4820, "po_K1": 1175}, 0),
    "stripe_with_payout.csv": ("stripe payout reconciliation itemised", True, {"po_A1": 0}, 0),
    "stripe_balance_transactions.json": ("stripe balance transactions list", None, {"stripe_balance_transactions USD": -5100, "stripe_balance_transactions ISK": 500}, 0),
    "paypal_stl.csv": ("paypal settlement report (STL)", True, {"ACCOUNT1 2026-03-05..2026-03-05 USD": 0, "ACCOUNT1 2026-03-05..2026-03-05 JPY": 150000}, 0),
    "paypal_trr.csv": ("paypal transaction detail report (TRR)", True, {"ACCOUNT1 2026-03-05..2026-03-05 USD TRR": 11622, "ACCOUNT1 2026-03-05..2026-03-05 JPY TRR": 1440}, 3),
    "adyen_settlement_details.csv": ("adyen settlement details report", True, {"ShopEU batch 7": 0}, 0),
    "adyen_accounting.csv": ("adyen payments accounting report", None, {"ShopEU batch 8": -1690}, 3),
    "checkoutcom_breakdown.csv": ("checkout.com settlement breakdown", None, {"PAY1": 10420}, 0),
    "checkoutcom_payouts.csv": ("checkout.com payouts", True, {"checkoutcom_payouts GBP": -11770}, 0),
    "braintree_transactions.json": ("braintree settled transactions", None, {"shop_us 2026-03-03 USD payments": 4250}, 2),
    "braintree_refunds.json": ("braintree refunds", None, {"shop_us 2026-03-04 USD refunds": -3000}, 0),
    "braintree_disputes.json": ("braintree disputes", None, {"braintree_disputes USD": -3000}, 1),
    "shopify_transactions.json": ("shopify payments balance transactions", True, {"900": 0, "shopify_transactions USD": 7447}, 1),
    "shopify_payouts.json": ("shopify payments payouts", True, {"shopify_payouts USD": -4484}, 1),
    "tiktok_statement.csv": ("tiktok shop settlement statement", None, {"S1": 11195}, 0),
    "amazon_settlement.tsv": ("amazon settlement flat file v2", True, {"17001": 7168}, 0),
    "amazon_settlement_eu.tsv": ("amazon settlement flat file v2", True, {"17001": 7168}, 0),
    "camt053.xml": ("camt.053.001.02", True, {"XX00STEWARD0000000001 S-1": -10915}, 0),
    "camt053_v8.xml": ("camt.053.001.08", True, {"XX00STEWARD0000000001 S-2": 2700}, 1),
    "camt052.xml": ("camt.052.001.06", None, {"XX00STEWARD0000000001 R-1": 2000}, 0),
    "camt054.xml": ("camt.054.001.04", True, {"ACC-2 N-1 EUR": 1250}, 0),
    "mt940.sta": ("mt940", True, {"STEWXX/0001234567 00061/001 2026-03-01 2026-03-02": 15525, "STEWXX/0001234567 00061/002 2026-03-02 2026-03-02": -120000}, 0),
    "mt942.sta": ("mt942", True, {"STEWXX/0001234567 00007/001 2603021200+0100": 2760}, 0),
    "ofx1.ofx": ("ofx", None, {"123 987654 2026-03-01..2026-03-03": 14925}, 0),
    "ofx2.ofx": ("ofx", None, {"4111 2026-03-01..2026-03-03": 14925}, 0),
    "bank.csv": ("table by mapping", True, {"bank EUR": -75915}, 0),
    "market.csv": ("table by mapping", True, {"B1": 0}, 1),
}  # fmt: skip

# file, one text -> another, the line that breaks it, a word of the reason
BROKEN = [
    ("stripe_with_payout.csv", "-79.35,0.00,-79.35", "-79.36,0.00,-79.36", 7, "payout po_A1 is the sum"),
    ("stripe_with_payout.csv", "45.5,1.62,43.88", "45.5,1.61,43.88", 3, "is not net"),
    ("stripe_reconciliation.csv", "5000,180", "5000.5,180", 7, "no whole minor unit"),
    ("stripe_reconciliation.csv", "1.250,0.075", "1.2505,0.075", 8, "no whole minor unit"),
    ("stripe_reconciliation.csv", ",usd,120.00", ",usx,120.00", 2, "no currency code"),
    ("stripe_reconciliation.csv", "2026-03-01 10:00:00", "2026-02-30 10:00:00", 2, "no day of the calendar"),
    ("stripe_balance_transactions.json", '"net": 11622', '"net": 11623', 1, "is not net"),
    ("stripe_balance_transactions.json", '"has_more": false', '"has_more": true', 0, "one page"),
    ("stripe_balance_transactions.json", '"amount": 50000', '"amount": 50001', 5, "no whole amount"),
    ("paypal_stl.csv", '"SF","USD",17000', '"SF","USD",17001', 14, "SF USD gross credits"),
    ("paypal_stl.csv", '"RF","USD",17000,16480,63,583', '"RF","USD",17000,16480,64,583', 17, "RF USD fee credits"),
    ("paypal_stl.csv", '"SC",9', '"SC",8', 16, "number of rows"),
    ("paypal_stl.csv", '"SF","JPY",150000,0,0,0,"CR",0,"CR",0,"CR",0,"CR",0,"CR",0,"CR",0,1\n', '"SB","Z"\n', 15, "a row after"),
    ("paypal_trr.csv", '"SC",5', '"SC",6', 11, "number of rows"),
    ("adyen_settlement_details.csv", "66.00,", "66.01,", 9, "is the sum of its lines"),
    ("adyen_settlement_details.csv", ",98.10,", ",98.11,", 2, "is not net"),
    ("checkoutcom_payouts.csv", "121.20", "121.21", 2, "sum of its parts"),
    ("checkoutcom_breakdown.csv", "50,-1.5,48.5", "50,-1.4,48.6", 2, "is not its parts"),
    ("shopify_transactions.json", '"net": "-46.84"', '"net": "-46.85"', 7, "is not net"),
    ("shopify_transactions.json", '"amount": "-46.84",\n   "fee": "0.00",\n   "net": "-46.84"', '"amount": "-46.85",\n   "fee": "0.00",\n   "net": "-46.85"', 7, "is the sum of its transactions"),
    ("shopify_payouts.json", '"amount": "46.84"', '"amount": "46.85"', 1, "gross less its fees"),
    ("tiktok_statement.csv", "91.50,100.00", "91.51,100.00", 2, "is not net"),
    ("amazon_settlement.tsv", "\t-12.00\t", "\t-12.01\t", 2, "make its total-amount"),
    ("amazon_settlement_eu.tsv", "\t-12,00\t", "\t-12.00\t", 6, "another decimal sign"),
    ("camt053.xml", '<Amt Ccy="EUR">120.00', '<Amt Ccy="EUR">120.01', 6, "TxsSummry"),
    ("camt053.xml", "250.00", "250.00001", 9, "no whole minor unit"),
    ("camt053_v8.xml", "15.00</Amt>", "15.01</Amt>", 5, "make CLBD"),
    ("camt053_v8.xml", "CLBD", "CLAV", 3, "no opening or no closing"),
    ("camt054.xml", "<NbOfNtries>2<", "<NbOfNtries>3<", 3, "number"),
    ("mt940.sta", "250,5N", "250,6N", 13, "make 62M"),
    ("mt940.sta", ":60M:C260302EUR1155,25", ":60M:C260302EUR1155,26", 19, "goes on where"),
    ("mt940.sta", ":62F:D260302EUR44,75\n", "", 16, "it is cut"),
    ("mt942.sta", ":90C:2EUR40,10", ":90C:3EUR40,10", 12, "number of entries"),
    ("mt942.sta", ":90D:1EUR12,50", ":90D:1EUR12,51", 11, "90D sum"),
    ("mt942.sta", "\n-\n", "\n", 1, "it is cut"),
    ("ofx1.ofx", "-100.00", "-100.005", 17, "no whole minor unit"),
    ("bank.csv", "-1.000,00", "-1.000,01", 3, "balance goes on"),
    ("bank.csv", "-1.000,00", "-10.00,00", 3, "not grouped by three"),
    ("market.csv", "119.60,0.00,119.60", "119.61,0.00,119.61", 6, "make their total"),
]  # fmt: skip

CUT = [name for name in GOOD if name not in {"tiktok_statement.csv", "stripe_reconciliation.csv"}]


def money(reading):
    return {
        statement.id: sum(
            getattr(line, "net_minor", None) or getattr(line, "amount_minor", 0) for line in statement.lines
        )
        for statement in reading.statements
    }


def test_every_own_file_and_every_provider_is_in_the_table():
    assert sorted(GOOD) == sorted(path.name for path in FILES.iterdir() if ".mapping." not in path.name)
    prefixes = {name.partition("_")[0].partition(".")[0].rstrip("0123456789") for name in GOOD}
    assert set(PROVIDERS) == (prefixes - {"mt", "bank", "market"}) | {"mt940", "csv"}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_read_whole(own, name):
    reading = own(name)
    form, controlled, totals, idle = GOOD[name]
    assert reading.refused is None
    assert (reading.format, reading.control_total_ok, len(reading.rejected)) == (form, controlled, idle)
    assert money(reading) == totals
    assert bool(reading.controls) == bool(controlled)
    for statement in reading.statements:
        keys = [line.key for line in statement.lines]
        assert len(set(keys)) == len(keys)
        assert all(line.currency == statement.currency for line in statement.lines)
        if statement.bank:
            continue
        assert all(line.gross_minor - line.fee_minor == line.net_minor for line in statement.lines)


@pytest.mark.parametrize("name", GOOD)
def test_the_same_file_told_again_has_the_same_keys(own, name):
    first, second = own(name), own(name)
    assert first == second


@pytest.mark.parametrize(("name", "old", "new", "line", "words"), BROKEN, ids=lambda value: str(value)[:24])
def test_what_does_not_hold_refuses_the_whole_with_its_line(changed, name, old, new, line, words):
    reading = changed(name, old, new)
    assert reading.refused is not None
    assert words in reading.refused.reason
    assert reading.refused.line == line
    assert reading.statements == ()
    assert reading.control_total_ok is not True


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"\xff\xfe\x00", b"\x80\x81 not text \xff", b"GIF89a", b"{", b"<a>"]
)
def test_bytes_of_something_else_are_not_read(own, name, content):
    try:
        reading = own(name, content)
    except BadInput:
        return
    assert reading.refused is not None


@pytest.mark.parametrize(
    "name", sorted({"stripe_reconciliation.csv", "tiktok_statement.csv", "paypal_stl.csv", "bank.csv"})
)
def test_another_encoding_is_refused_and_not_guessed(own, name):
    text = (FILES / name).read_text(encoding="utf-8").replace("a", "é")
    with pytest.raises(BadInput, match="the text is not UTF-8"):
        own(name, text.encode("latin-1"))


@pytest.mark.parametrize("name", ["stripe_reconciliation.csv", "paypal_stl.csv", "market.csv", "shopify_payouts.json"])
def test_byte_order_marks_change_nothing(own, name):
    text = (FILES / name).read_text(encoding="utf-8")
    assert own(name, text.encode("utf-8-sig")) == own(name) == own(name, text.encode("utf-16"))


@pytest.mark.parametrize("name", [n for n in GOOD if n.endswith((".csv", ".tsv", ".sta"))])
def test_line_ends_change_no_money(own, name):
    content = (FILES / name).read_bytes().replace(b"\n", b"\r\n")
    assert money(own(name, content)) == money(own(name))


@pytest.mark.parametrize("name", CUT)
def test_a_file_cut_in_its_last_quarter_never_reads_as_more(own, name):
    """Where totals are carried a cut is refused, or all money was before it; elsewhere the rest is a true beginning."""
    content = (FILES / name).read_bytes()
    whole = sorted(line.key for statement in own(name).statements for line in statement.lines)
    for end in range(3 * len(content) // 4, len(content), 7):
        try:
            reading = own(name, content[:end])
        except BadInput:
            continue
        kept = [line.key for statement in reading.statements for line in statement.lines]
        assert set(kept) <= set(whole) or not reading.control_total_ok


def test_a_row_told_twice_is_two_lines_and_the_second_says_so(changed):
    row = "po_A1,2026-03-04 00:00:00,txn_3,"
    line = next(
        x for x in (FILES / "stripe_reconciliation.csv").read_text().splitlines(keepends=True) if x.startswith(row)
    )
    reading = changed("stripe_reconciliation.csv", line, line + line)
    assert [entry.key for entry in reading.statements[0].lines if entry.type == "refund"] == ["txn_3", "txn_3#2"]


def test_unknown_types_keep_the_word_of_the_provider(own):
    lines = [entry for s in own("stripe_balance_transactions.json").statements for entry in s.lines]
    assert [(entry.type, entry.raw_type) for entry in lines if entry.type == "unknown"] == [("unknown", "new_category")]
    lines = [entry for s in own("tiktok_statement.csv").statements for entry in s.lines]
    assert [(entry.type, entry.raw_type) for entry in lines if entry.type == "unknown"] == [
        ("unknown", "Something new")
    ]


def test_a_stripe_line_says_all_it_knows(own):
    line = own("stripe_reconciliation.csv").statements[0].lines[3]
    assert (line.type, line.gross_minor, line.fee_minor, line.net_minor) == ("dispute", -4550, 1500, -6050)
    assert line.at == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert line.day == date(2026, 3, 3)
    assert dict(line.refs) == {
        "transaction": "txn_4", "payment": "ch_2", "dispute": "dp_1", "payout": "po_A1", "reference": "pi_2",
        "order": "ord-2",
    }  # fmt: skip


def test_paypal_moves_by_its_event_codes(own):
    lines = {x.raw_type: x for s in own("paypal_stl.csv").statements for x in s.lines}
    kinds = {code: line.type for code, line in lines.items()}
    assert kinds == {
        "T0006": "payment", "T1107": "refund", "T1201": "dispute", "T0106": "fee", "T0200": "conversion",
        "T2101": "reserve_hold", "T0400": "payout",
    }  # fmt: skip
    assert lines["T1107"].fee_minor == -63
    assert ("payout", "BANKREF1") in lines["T0400"].refs
    assert own("paypal_stl.csv").statements[0].payout_id == "BANKREF1"


def test_a_bank_entry_says_all_it_knows(own):
    first, reversed_, *_ = own("camt053.xml").statements[0].lines
    assert (first.amount_minor, first.counterparty, first.text) == (12000, "Processor", "payout A1")
    assert first.refs == (("bank", "B1"), ("reference", "po_A1"))
    assert (reversed_.reversal, reversed_.counterparty) == (True, "Customer & Son")
    entries = own("mt940.sta").statements[0].lines
    assert [(e.amount_minor, e.reversal) for e in entries] == [
        (25050, False),
        (-10000, False),
        (1000, True),
        (-525, True),
    ]
    assert (entries[0].counterparty, entries[0].refs) == (
        "PROCESSOR LTD",
        (("reference", "po_A1"), ("bank", "BANKREF1")),
    )
    assert entries[1].counterparty == "SUPPLIER"
    assert ("reference", "inv-7") in entries[1].refs


def test_a_value_date_of_thirty_february_is_the_months_last_day(own):
    assert own("mt940.sta").statements[1].lines[0].value == date(2026, 2, 28)


def test_pending_entries_are_read_and_are_in_no_balance(own):
    statement = own("camt053_v8.xml").statements[0]
    assert [(e.amount_minor, e.pending) for e in statement.lines] == [(2000, False), (700, True)]
    assert (statement.opening_minor, statement.closing_minor) == (-500, 1500)


def test_what_was_never_seen_from_a_provider_says_so(own):
    unverified = {name for name in GOOD if not own(name).verified}
    assert unverified == {n for n in GOOD if n.startswith(("tiktok", "amazon", "ofx"))}


def test_an_unknown_provider_names_the_known_ones():
    with pytest.raises(BadInput, match="known are stripe"):
        read("westernunion", b"x", "x.csv")


def test_a_header_of_neither_report_reads_no_rows(changed):
    with pytest.raises(BadInput, match="tells them apart"):
        changed("paypal_trr.csv", '"Transactional Status"', '"Transactional Statue"')
