"""The edges of dates, signs, pages and states: what is still read, and what each refusal says."""

import io
import re
from datetime import UTC, date, datetime, timedelta, timezone

import openpyxl
import pytest

from steward.kernel.errors import BadInput
from steward.reconciliation.readers import moments, read

TIMES = {
    "2026-03-01": datetime(2026, 3, 1, tzinfo=UTC),
    "2026/03/01 10:11": datetime(2026, 3, 1, 10, 11, tzinfo=UTC),
    "2026-03-01T10:11:12.123456789Z": datetime(2026, 3, 1, 10, 11, 12, 123456, tzinfo=UTC),
    "2026-03-01 10:11:12 -0800": datetime(2026, 3, 1, 10, 11, 12, tzinfo=timezone(timedelta(hours=-8))),
    "2026-03-01 10:11:12 UTC": datetime(2026, 3, 1, 10, 11, 12, tzinfo=UTC),
    "2026-03-01T10:11:12+05:30": datetime(2026, 3, 1, 10, 11, 12, tzinfo=timezone(timedelta(minutes=330))),
}


@pytest.mark.parametrize("text", TIMES)
def test_times_keep_the_offset_they_were_written_in(text):
    assert moments.local(text) == TIMES[text]


@pytest.mark.parametrize(
    "text",
    ["2026-13-01", "2026-02-29", "1969-12-31", "2200-01-01", "2026-3-1", "2026-03-01x10:00:00", "2026-03-01 24:00:00",
     "2026-03-01 10:60:00", "2026-03-01 10:00:60", "2026-03-01T10:00:00+15:00", "2026-03-01T10", "٢٠٢٦-03-01", "today", ""],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(BadInput):
        moments.local(text)


def test_zones_of_processors_and_what_is_none():
    assert moments.zone("PDT").utcoffset(None) == timedelta(hours=-7)
    with pytest.raises(BadInput, match="no time zone we know"):
        moments.zone("XYZ")
    with pytest.raises(BadInput, match="does not say its offset"):
        moments.local("2026-03-01 10:00:00", None)
    with pytest.raises(BadInput, match="no Unix time"):
        moments.unix(-1)


REFUSED = [
    ("adyen_settlement_details.csv", ",CET,Settled", ",XYZ,Settled", "no time zone we know"),
    ("adyen_settlement_details.csv", ",,98.10,", ",1.00,98.10,", "either a net debit or a net credit"),
    ("adyen_settlement_details.csv", "Shop,ShopEU,PSP1,ord-1,visa", "Shop,,PSP1,ord-1,visa", "no merchant account"),
    ("adyen_settlement_details.csv", "TX1234XT batch 7, ShopEU", "", "a payout without its reference"),
    ("adyen_settlement_details.csv", "1.00,,,7\n", "1.00,,,\n", "no batch number"),
    ("amazon_settlement.tsv", "17001\t\t", "\t\t", "no settlement id"),
    ("amazon_settlement.tsv", "17001\t2026-02-20", "17002\t2026-02-20", "before its total"),
    ("amazon_settlement.tsv", "\t\t\t\t\tOrder\t", "\t\t\t\tEUR\tOrder\t", "EUR in a settlement of USD"),
    ("amazon_settlement_eu.tsv", "20.02.2026", "30.02.2026", "no day of the calendar"),
    ("amazon_settlement_eu.tsv", "20.02.2026", "2x.02.2026", "is no date"),
    ("braintree_transactions.json", '"status": "SETTLED"', '"status": "SETTLISH"', "no known status"),
    ("braintree_transactions.json", '"fundsHeld": false', '"fundsHeld": 0', "neither true nor false"),
    ("braintree_refunds.json", '"value": "-30.00"', '"value": "30.00"', "disbursed 3000 of 3000"),
    ("braintree_disputes.json", '"disbursementDate"', '"disbursed"', "without its history"),
    ("braintree_disputes.json", '"value": "0.00",\n   "currencyCode": "USD"', '"value": "0.00", "currencyCode": "EUR"', "of one currency"),
    ("shopify_transactions.json", '"test": false', '"test": 0', "neither true nor false"),
    ("shopify_payouts.json", '"status": "paid"', '"status": "pleased"', "status 'pleased' is unknown"),
    ("shopify_payouts.json", '"charges_gross_amount"', '"charges_gross"', "lacks one of its amounts"),
    ("shopify_payouts.json", '"adjustments_fee_amount"', '"adjustments_amount": "1.00", "adjustments_fee_amount"', "is unknown"),
    ("checkoutcom_payouts.csv", "GBP,PAY1", "GBP,", "no payout id"),
    ("paypal_stl.csv", '"CR",12000', '"XX",12000', "neither CR nor DR"),
    ("paypal_stl.csv", '"CR",12000', '"CR",-12000', "no amount of minor units"),
    ("paypal_stl.csv", '378,"USD"', '378,"EUR"', "another currency"),
    ("paypal_stl.csv", '"P1",', '"",', "no transaction id"),
    ("paypal_stl.csv", '"FF",1', '"FG",1', "is no row of a PayPal report"),
    ("paypal_stl.csv", '"SF","JPY"', '"SF","USD"', "a second SF of USD"),
    ("paypal_stl.csv", "2026/03/05 08:00:01 -0800", "2026/03/05 08:00:01", "does not say its offset"),
    ("camt053.xml", "CRDT</CdtDbtInd><Sts>", "KREDIT</CdtDbtInd><Sts>", "no CRDT or DBIT"),
    ("camt053.xml", ">BOOK<", ">MAYBE<", "none of BOOK"),
    ("camt053.xml", "<RvslInd>true<", "<RvslInd>yes<", "RvslInd is 'yes'"),
    ("camt053.xml", '<Amt Ccy="EUR">120.00', '<Amt Ccy="EUR">-120.00', "is negative"),
    ("camt053.xml", "<Id>S-1</Id>", "", "has no Id"),
    ("camt053.xml", '<Amt Ccy="EUR">120.00</Amt>', "", "no Amt"),
    ("camt053.xml", "<Cd>CLBD</Cd>", "<Cd>OPBD</Cd>", "two balances OPBD"),
    ("camt053.xml", "TtlNetNtryAmt>109.15", "TtlNetNtryAmt>109.16", "TtlNtries net"),
    ("mt940.sta", ":60F:C260301EUR1000,00", ":60F:C260301EUR1000.00", "is no balance"),
    ("mt940.sta", ":62M:C260302EUR", ":62M:C260302USD", "opens in EUR and closes in USD"),
    ("mt940.sta", "2603020302CR250,5", "2613020302CR250,5", "no day of the calendar"),
    ("mt940.sta", ":61:260302RD10,", ":61:260302XX10,", "is no entry"),
    ("mt942.sta", ":90D:1EUR", ":90D:1USD", "is no total of EUR"),
    ("ofx1.ofx", "<ACCTID>987654", "", "has no account"),
    ("ofx1.ofx", "<FITID>F1", "", "no FITID"),
    ("ofx1.ofx", "<FITID>F1", "<FITID>F1<CORRECTFITID>F0", "a correction"),
    ("ofx1.ofx", "<TRNAMT>250.50", "<TRNAMT>1,250.50", "a comma and a point"),
    ("ofx1.ofx", "<TRNAMT>250.50", "<TRNAMT>250.50<TRNAMT>1", "comes twice"),
    ("ofx1.ofx", "20260302120000[+1:CET]", "20260302250000", "no time of a day"),
    ("ofx1.ofx", "20260302120000[+1:CET]", "2nd of March", "no OFX date"),
    ("ofx1.ofx", "<TRNAMT>250.50", "<TRNAMT>250.50<CURRENCY><CURRATE>1<CURSYM>EUR</CURRENCY>", "EUR in an account of USD"),
    ("market.csv", "2026-03-01 10:00:00", "01.03.2026", "is not written as"),
    ("market.csv", "2026-03-01 10:00:00", "2026-03-01 25:00:00", "no time of a day"),
    ("bank.csv", "-9,15;", "-9.15;", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "words"), REFUSED, ids=lambda value: str(value)[:20])
def test_a_line_that_says_nothing_clear_refuses_the_file(changed, name, old, new, words):
    try:
        reading = changed(name, old, new)
    except BadInput as error:
        assert words in str(error)  # noqa: PT017 - a file that is no report at all says the same
        return
    assert reading.refused is not None
    assert reading.statements == ()
    if words:
        assert any(words in bad.reason for bad in reading.rejected), reading.rejected


OTHERS = [
    ("camt", b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><a/></Document>', None),
    ("camt", b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.029.001.03"><a/></Document>', "no bank statement"),
    ("shopify", b"[]", "an order's transactions"),
    ("shopify", b'{"orders": []}', "a list of orders"),
    ("shopify", b'{"products": []}', "without payouts"),
    ("braintree", b"{}", "is no list"),
    ("braintree", b"[1]", "without objects"),
    ("braintree", b'[{"a": 1}]', "neither a transaction"),
    ("braintree", b'[{"gross": "1.00", "gateway_txn_id": "x"}, {"a": 1}]', None),
    ("braintree", b'[{"gross": "1.00", "gateway_txn_id": "x", "type": "gift", "currency": "USD"}]', "so is its sign"),
    ("stripe", b'{"object": "list", "data": [{"object": "charge"}], "has_more": false}', "no balance transaction"),
    ("stripe", b"reporting_category,currency,count,gross,fee,net\ncharge,usd,1,1.00,0,1.00\n", "a summary"),
    ("stripe", b"balance_transaction_id,created\n", None),
    ("ofx", b"<OFX><INVSTMTRS></INVSTMTRS></OFX>", "an investment statement"),
    ("ofx", b"<OFX><SIGNUP></SIGNUP></OFX>", "without a bank statement"),
    ("ofx", b"<OFX><STMTRS>", None),
    ("ofx", b"no such thing", None),
    ("paypal", b'"SB","x"\n', None),
    ("paypal", b'"CH","Case ID","Other"\n', "a case report"),
    ("mt940", b"just words\n", None),
]


@pytest.mark.parametrize(("provider", "content", "words"), OTHERS)
def test_files_of_another_kind_say_what_they_are(provider, content, words):
    try:
        reading = read(provider, content, "x")
    except BadInput:
        assert words is None
        return
    assert reading.refused is not None
    assert words is None or words in reading.refused.reason


def balance(code, amount):
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><DtTm>2026-03-02T00:00:00.000000000</DtTm></Dt></Bal>"
    )


def page(number, first, last):
    entry = "<Ntry><Amt Ccy='EUR'>5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>"
    return (
        f"<Stmt><Id>S</Id><StmtPgntn><PgNb>{number}</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"
        f"<Acct><Id><IBAN>X</IBAN></Id></Acct>{first}{last}{entry}</Stmt>"
    )


def test_pages_of_one_statement_begin_and_end_with_interim_balances():
    space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.04"
    pages = page(1, balance("OPBD", "10.00"), balance("ITBD", "15.00")) + page(
        2, balance("ITBD", "15.00"), balance("CLBD", "20.00")
    )
    text = f"<Document xmlns='{space}'><BkToCstmrStmt>{pages}</BkToCstmrStmt></Document>"
    reading = read("camt", text.encode(), "x")
    assert (reading.refused, reading.control_total_ok) == (None, True)
    assert [s.id for s in reading.statements] == ["X S", "X S page 2"]
    assert [(s.opening_minor, s.closing_minor) for s in reading.statements] == [(1000, 1500), (1500, 2000)]
    twice = f"<Document xmlns='{space}'><BkToCstmrStmt>{pages}{pages}</BkToCstmrStmt></Document>"
    assert "comes twice" in read("camt", twice.encode(), "x").refused.reason


def test_debits_and_credits_in_columns_of_their_own():
    mapping = {
        "kind": "bank", "currency": "EUR", "date_format": "%Y-%m-%dT%H:%M%z", "units": "minor",
        "columns": {"debit": "out", "credit": "in", "at": "when", "id": "id", "value": "when", "text": "words"},
    }  # fmt: skip
    text = "id,when,out,in,words\n1,2026-03-01T23:30-0500,250,,rent\n2,2026-03-02T09:00Z,,1000,sale\n"
    lines = read("csv", text.encode(), "x.csv", mapping).statements[0].lines
    assert [(x.key, x.amount_minor, x.booked, x.text) for x in lines] == [
        ("1", -250, date(2026, 3, 1), "rent"),
        ("2", 1000, date(2026, 3, 2), "sale"),
    ]
    both = read("csv", text.replace("250,,", "250,1,").encode(), "x.csv", mapping)
    assert "either a debit or a credit" in both.refused.reason
    minus = read("csv", text.replace("250,,", "-250,,").encode(), "x.csv", mapping)
    assert "is negative" in minus.refused.reason


def test_fees_that_are_written_negative_and_net_alone():
    mapping = {
        "currency": "USD", "fee_sign": "signed", "header_row": 3, "time_zone": "+02:00",
        "columns": {"net": "net", "fee": "fee", "day": "day"},
    }  # fmt: skip
    text = "A report\nof March\nday,fee,net\n2026-03-01,-0.30,9.70\n"
    (line,) = read("csv", text.encode(), "x.csv", mapping).statements[0].lines
    assert (line.gross_minor, line.fee_minor, line.net_minor, line.type) == (1000, 30, 970, "unknown")
    with pytest.raises(BadInput, match="no row 9"):
        read("csv", text.encode(), "x.csv", {**mapping, "header_row": 9})


def test_dates_of_cells_in_either_calendar_of_spreadsheets():
    for epoch in (openpyxl.utils.datetime.WINDOWS_EPOCH, openpyxl.utils.datetime.MAC_EPOCH):
        book = openpyxl.Workbook()
        book.epoch = epoch
        book.active.append(["when", "paid"])
        book.active.append([date(2026, 2, 28), 12])
        out = io.BytesIO()
        book.save(out)
        mapping = {"currency": "USD", "columns": {"net": "paid", "day": "when"}}
        (line,) = read("csv", out.getvalue(), "x.xlsx", mapping).statements[0].lines
        assert (line.day, line.net_minor) == (date(2026, 2, 28), 1200)


def test_windows_1252_is_read_where_an_ofx_header_says_so(changed):
    reading = changed("ofx1.ofx", "PROCESSOR LTD", "PROCESSOR LTD")
    assert reading.refused is None
    content = re.sub(b"PROCESSOR LTD", "Müller & Söhne".encode("cp1252"), _ofx())
    assert read("ofx", content, "x").statements[0].lines[0].counterparty == "Müller & Söhne"
    with pytest.raises(BadInput, match="not UTF-8"):
        read("ofx", content.replace(b"CHARSET:1252", b"CHARSET:NONE"), "x")


def _ofx():
    return (
        b"OFXHEADER:100\nCHARSET:1252\n\n<OFX><STMTRS><CURDEF>USD<BANKACCTFROM><ACCTID>1</BANKACCTFROM><BANKTRANLIST>"
        b"<DTSTART>20260301<DTEND>20260303<STMTTRN><DTPOSTED>20260302<TRNAMT>1.00<FITID>F1<NAME>PROCESSOR LTD</STMTTRN>"
        b"<STMTTRN><DTPOSTED>20260302<TRNAMT>0.00<FITID>F2</STMTTRN></BANKTRANLIST></STMTRS></OFX>"
    )


def test_entries_of_zero_are_listed_and_moved_nothing():
    reading = read("ofx", _ofx(), "x")
    assert [bad.reason for bad in reading.rejected] == ["an entry of zero moves no money"]
    assert len(reading.statements[0].lines) == 1


def test_every_row_of_a_settlement_report_is_money_whatever_its_code(changed):
    """Its totals count it, so a code that elsewhere moves nothing cannot take it out."""
    reading = changed("paypal_stl.csv", '"T1201"', '"T1301"')
    assert (reading.refused, reading.rejected) == (None, ())
    assert [x.net_minor for x in reading.statements[0].lines if x.type == "unknown"] == [-5000]
