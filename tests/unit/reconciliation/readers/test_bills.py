"""Bills by mapping: what is read, which line is refused, which total holds."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.catalog import load_contracts
from steward.contracts.invoice import BillMapping
from steward.kernel.errors import BadInput
from steward.kernel.money import exponent
from steward.reconciliation.readers.bills import bill_mapping, read_bill

BILLS = load_contracts().bills
WAREHOUSE = "invoice_id,service_date,order_id,service,amount,currency\n"
ADS = "invoice_id,spend_date,campaign_id,amount,currency\n"


def read(text, bill="warehouse", vendor="acme", name="bill.csv"):
    mapping = BILLS[bill] if isinstance(bill, str) else BillMapping.model_validate(bill)
    return read_bill(text.encode(), name, mapping, vendor)


def test_a_warehouse_s_bill_is_read_by_line_and_invoice():
    made = read(WAREHOUSE + "w1,2026-01-05,o1,parcel,6.00,USD\nw2,2026-01-06,o2,pick_pack,-3.00,EUR\n")
    assert made.control_total_ok is None
    first, second = made.invoices
    assert (first.vendor, first.number, first.issued) == ("acme", "w1", None)
    line = first.lines[0]
    assert (line.number, line.service, line.subject, line.day) == (2, "parcel", "o1", date(2026, 1, 5))
    assert (line.quantity, line.unit_minor, line.amount_minor, line.currency) == (1, None, 600, "USD")
    assert (second.lines[0].amount_minor, second.lines[0].currency) == (-300, "EUR")


def test_a_supplier_s_bill_names_vendor_dates_quantity_and_price():
    head = "invoice_id,invoice_date,due_date,supplier_id,purchase_order_id,sku,quantity,unit_price,amount,currency\n"
    made = read(head + "i1,2026-01-05,2026-02-04,supplier-03,po-7,MUG,12,2.50,30.00,USD\n", "supplier", "suppliers")
    (invoice,) = made.invoices
    assert (invoice.vendor, invoice.issued, invoice.due) == ("supplier-03", date(2026, 1, 5), date(2026, 2, 4))
    line = invoice.lines[0]
    assert (line.service, line.subject, line.sku) == ("goods", "po-7", "MUG")
    assert (line.quantity, line.unit_minor, line.amount_minor) == (12, 250, 3000)


def test_a_commission_has_its_moment():
    head = "invoice_id,order_date,settled_at,order_id,fee_type,amount,currency\n"
    made = read(head + "f1,2026-01-05,2026-01-20T02:00:00Z,o1,referral,1.20,USD\n", "commission")
    assert made.invoices[0].lines[0].at == datetime(2026, 1, 20, 2, tzinfo=UTC)


def test_stated_totals_hold_by_currency_or_the_whole_is_refused():
    body = "a1,2026-01-05,c1,10.00,USD\na1,2026-01-05,c2,5.00,EUR\n"
    good = read(ADS + body + "a1,,TOTAL,10.00,USD\na1,,TOTAL,5.00,EUR\n", "ads")
    assert (good.control_total_ok, len(good.controls), len(good.invoices[0].lines)) == (True, 2, 2)
    bad = read(ADS + body + "a1,,TOTAL,10.01,USD\n", "ads")
    assert (bad.control_total_ok, bad.invoices) == (False, ())
    assert (bad.refused[0].line, bad.refused[0].reason) == (4, "the total of a1 is USD 10.01, its lines make USD 10.00")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("w1,2026-01-05,o1,parcel,6.001,USD", "no whole minor unit"),
        ("w1,2026-01-05,o1,parcel,six,USD", "no amount"),
        ("w1,2026-02-30,o1,parcel,6.00,USD", "no day of the calendar"),
        ("w1,05.01.2026,o1,parcel,6.00,USD", "is not written as"),
        ("w1,,o1,parcel,6.00,USD", "without a day"),
        ("w1,2026-01-05,o1,,6.00,USD", "without a service"),
        ("w1,2026-01-05,o1,parcel,6.00,ABC", "no currency code"),
        ("w1,2026-01-05,o1,parcel,6.00", "cut or joined"),
        (f"w1,2026-01-05,{'x' * 201},parcel,6.00,USD", "at most 200"),
    ],
)
def test_one_bad_line_refuses_the_whole_and_is_named(row, reason):
    made = read(f"{WAREHOUSE}w1,2026-01-05,o0,parcel,6.00,USD\n{row}\n")
    assert made.invoices == ()
    assert [one.line for one in made.refused] == [3]
    assert reason in made.refused[0].reason


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "many"])
def test_a_quantity_is_a_whole_number_above_zero(quantity):
    mapping = {"service": "x", "currency": "USD", "columns": {"day": "day", "amount": "amount", "quantity": "n"}}
    made = read(f"day,amount,n\n2026-01-05,1.00,{quantity}\n", mapping)
    assert made.refused[0].line == 2


def test_anybody_s_columns_signs_and_dates_by_a_mapping():
    mapping = {
        "delimiter": ";", "decimal": ",", "grouping": ".", "date_format": "%d.%m.%Y", "currency": "EUR",
        "columns": {"invoice": "Rechnung", "day": "Datum", "service": "Leistung", "amount": "Betrag", "subject": "Auftrag"},
        "skip": {"Leistung": ["Zwischensumme"]},
    }  # fmt: skip
    text = (
        "Rechnung;Datum;Auftrag;Leistung;Betrag\nR1;05.01.2026;o1;Versand;1.234,50\n"
        "R1;05.01.2026;;Zwischensumme;1.234,50\n"
    )
    made = read(text, mapping)
    assert made.invoices[0].lines[0].amount_minor == 123_450
    assert [(one.line, "bills nothing" in one.reason) for one in made.skipped] == [(3, True)]


def test_a_file_is_the_invoice_where_no_column_names_one():
    mapping = {"service": "x", "currency": "USD", "units": "minor", "columns": {"day": "day", "amount": "amount"}}
    made = read("day,amount\n2026-01-05,125\n", mapping, name="bills/january.csv")
    assert (made.invoices[0].number, made.invoices[0].lines[0].amount_minor) == ("january", 125)


def test_a_workbook_is_read_like_a_table(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [WAREHOUSE.strip().split(","), ["w1", "2026-01-05", "o1", "parcel", "6.00", "USD"]]:
        book.active.append(row)
    book.save(tmp_path / "bill.xlsx")
    made = read_bill((tmp_path / "bill.xlsx").read_bytes(), "bill.xlsx", BILLS["warehouse"], "acme")
    assert made.invoices[0].lines[0].amount_minor == 600


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"\xff\xfe\x00", "UTF-16"), (b"a,b\n1,2\n", "no column")]
)
def test_what_is_no_bill_cannot_be_read(content, reason):
    with pytest.raises(BadInput, match=reason):
        read_bill(content, "x.csv", BILLS["warehouse"], "acme")


def test_a_bill_without_a_line_is_refused():
    assert read(WAREHOUSE).refused[0].reason == "no line of this file bills anything"


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {"day": "d", "amount": "a"}, "service": "x"},
        {"columns": {"day": "d", "amount": "a"}, "currency": "USD"},
        {"columns": {"amount": "a"}, "currency": "USD", "service": "x"},
        {"columns": {"day": "d", "amount": "a"}, "currency": "USD", "service": "x", "decimal": ",", "grouping": ","},
        {"columns": {"day": "d", "amount": "a"}, "currency": "USD", "service": "x", "unknown": 1},
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(BadInput, match="mapping"):
        bill_mapping(wrong)


GOOD = (ADS + "a1,2026-01-05,c1,10.00,USD\na1,2026-01-06,c2,5.25,USD\na1,,TOTAL,15.25,USD\n").encode()


@settings(max_examples=150)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_damaged_bill_is_refused_or_its_total_still_holds(place, put, cut):
    """The control is the bill itself: undamaged it is taken, with its total."""
    assert read_bill(GOOD, "x.csv", BILLS["ads"], "acme").control_total_ok
    damaged = GOOD[:place] + put + GOOD[place + cut :]
    try:
        made = read_bill(damaged, "x.csv", BILLS["ads"], "acme")
    except BadInput:
        return
    if made.refused:
        assert made.invoices == ()
        return
    assert made.control_total_ok is not False
    written = csv.reader(io.StringIO(damaged.decode("utf-8-sig"), newline=""))
    header, *rest = (cells for cells in written if any(map(str.strip, cells)))  # damage may put an empty row first
    names = [name.strip().casefold() for name in header]
    table = [dict(zip(names, map(str.strip, cells), strict=False)) for cells in rest]
    told = [(row["currency"].upper(), Decimal(row["amount"])) for row in table if row["campaign_id"] != "TOTAL"]
    read = [line for one in made.invoices for line in one.lines]
    assert [(one.currency, Decimal(one.amount_minor).scaleb(-exponent(one.currency))) for one in read] == told
    if made.control_total_ok is None:
        assert all(row["campaign_id"] != "TOTAL" for row in table), "a total that is there is held against its lines"
