"""What is written is what is read, for any amounts; and where a format has totals, one changed unit is never let pass."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from steward.kernel.errors import BadInput
from steward.kernel.money import exponent
from steward.reconciliation.readers import read
from steward.reconciliation.readers.amounts import CODES, LARGEST, minor, plain
from steward.reconciliation.readers.tables import rows
from steward.reconciliation.readers.workbook import number_text

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
AMOUNTS = st.integers(min_value=-(10**9), max_value=10**9)
WORDS = (
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).map(str.strip).filter(bool)
)


def major(amount, currency, point="."):
    """Minor units as text, by Decimal: not the readers' way."""
    digits = exponent(currency)
    return f"{Decimal(amount).scaleb(-digits):.{digits}f}".replace(".", point)


def table(rows, **options):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", **options).writerows(rows)
    return out.getvalue().encode()


@given(st.sampled_from(sorted(CODES)), st.integers(min_value=1 - LARGEST, max_value=LARGEST - 1), st.integers(0, 5))
def test_an_amount_comes_back_whatever_zeros_follow(currency, amount, zeros):
    text = major(amount, currency)
    text += ("" if "." in text or not zeros else ".") + "0" * zeros
    assert minor(text, currency) == amount


@given(CURRENCIES, AMOUNTS, st.integers(1, 9))
def test_a_part_of_a_minor_unit_is_refused_and_never_rounded(currency, amount, digit):
    text = major(amount, currency)
    with pytest.raises(BadInput, match="no whole minor unit"):
        minor(f"{text}{'' if '.' in text else '.'}{digit}", currency)


@given(AMOUNTS)
def test_grouping_and_a_decimal_comma_change_nothing(amount):
    grouped = f"{Decimal(amount).scaleb(-2):,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
    assert minor(plain(grouped, ",", "."), "EUR") == amount


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_what_a_spreadsheet_stores_as_a_double_is_the_decimal_that_was_typed(amount):
    """Seventeen digits of the nearest double, as programs write them into cells, and its shortest form."""
    value = amount / 100
    for text in (repr(value), f"{value:.17g}"):
        assert minor(number_text(text), "USD") == amount


@st.composite
def stripe_lines(draw):
    made = []
    for place in range(draw(st.integers(1, 12))):
        currency = draw(CURRENCIES)
        made.append((f"txn_{place}", currency, draw(AMOUNTS), draw(AMOUNTS), draw(WORDS)))
    return made


@given(stripe_lines())
def test_stripe_reads_what_was_written(lines):
    head = ["automatic_payout_id", "balance_transaction_id", "created", "available_on", "currency", "gross", "fee", "net",
            "reporting_category", "source_id", "charge_id", "description"]  # fmt: skip
    rows = [
        [f"po_{c}", key, "2026-03-01 10:00:00", "2026-03-03 00:00:00", c.lower(), major(gross, c), major(fee, c),
         major(gross - fee, c), "charge", "", f"ch_{key}", words]
        for key, c, gross, fee, words in lines
    ]  # fmt: skip
    reading = read("stripe", table([head, *rows]), "x.csv")
    assert reading.refused is None
    found = {x.key: (x.currency, x.gross_minor, x.fee_minor) for s in reading.statements for x in s.lines}
    assert found == {key: (c, gross, fee) for key, c, gross, fee, _ in lines}


PAYPAL = ["CH", "Transaction ID", "Invoice ID", "PayPal Reference ID", "PayPal Reference ID Type", "Transaction Event Code",
          "Transaction Initiation Date", "Transaction Completion Date", "Transaction Debit or Credit",
          "Gross Transaction Amount", "Gross Transaction Currency", "Fee Debit or Credit", "Fee Amount", "Fee Currency"]  # fmt: skip


def paypal(lines):
    when = "2026/03/05 08:00:00 +0000"
    rows, sums = [["SH", when, when, "A1"], PAYPAL], {}
    for place, (currency, gross, fee) in enumerate(lines):
        rows.append([
            "SB", f"P{place}", "", "", "", "T0006", when, when, "CR" if gross >= 0 else "DR", abs(gross), currency,
            "CR" if fee < 0 else "DR", abs(fee), currency,
        ])  # fmt: skip
        told = sums.setdefault(currency, [0] * 5)
        for at, part in enumerate((max(gross, 0), max(-gross, 0), max(-fee, 0), max(fee, 0), 1)):
            told[at] += part
    for kind in ("SF", "RF"):
        rows += [[kind, currency, *told[:4], *["CR", 0] * 6, told[4]] for currency, told in sums.items()]
    return rows


@given(st.lists(st.tuples(CURRENCIES, AMOUNTS, AMOUNTS), min_size=1, max_size=12))
def test_paypal_reads_what_was_written(lines):
    reading = read("paypal", table(paypal(lines)), "x.csv")
    assert (reading.refused, reading.control_total_ok) == (None, True)
    found = sorted((x.currency, x.gross_minor, x.fee_minor) for s in reading.statements for x in s.lines)
    assert found == sorted(lines)


@given(st.lists(st.tuples(CURRENCIES, AMOUNTS, AMOUNTS), min_size=1, max_size=8), st.data())
def test_one_unit_more_or_less_in_a_paypal_report_is_never_let_pass(lines, data):
    rows = paypal(lines)
    place = data.draw(st.sampled_from([n for n, row in enumerate(rows) if row[0] in {"SB", "SF", "RF"}]))
    columns = (9, 12) if rows[place][0] == "SB" else (2, 3, 4, 5, 18)
    column = data.draw(st.sampled_from(columns))
    rows[place][column] = abs(int(rows[place][column]) + data.draw(st.sampled_from([-1, 1])))
    reading = read("paypal", table(rows), "x.csv")
    assert reading.refused is not None
    assert reading.control_total_ok is False


def camt(opening, amounts, closing):
    def sided(amount, point="0" * 3):
        return f'<Amt Ccy="EUR">{major(abs(amount), "EUR")}{point}</Amt><CdtDbtInd>{"CRDT" if amount >= 0 else "DBIT"}</CdtDbtInd>'

    def balance(code, amount):
        return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{sided(amount)}</Bal>"

    entries = "".join(f"<Ntry>{sided(a)}<Sts>BOOK</Sts></Ntry>" for a in amounts)
    space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
    return (
        f'<Document xmlns="{space}"><BkToCstmrStmt><Stmt><Id>S</Id><Acct><Id><IBAN>X</IBAN></Id></Acct>'
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def mt940(opening, amounts, closing):
    def balance(amount):
        return f"{'C' if amount >= 0 else 'D'}260301EUR{major(abs(amount), 'EUR', ',')}"

    entries = "".join(
        f":61:260301{'C' if a >= 0 else 'D'}{major(abs(a), 'EUR', ',')}NTRFR{place}\n"
        for place, a in enumerate(amounts)
    )
    return f":20:S\n:25:X\n:28C:1/1\n:60F:{balance(opening)}\n{entries}:62F:{balance(closing)}\n-\n".encode()


@pytest.mark.parametrize(("provider", "write"), [("camt", camt), ("mt940", mt940)])
@settings(max_examples=60)
@given(opening=AMOUNTS, amounts=st.lists(AMOUNTS.filter(bool), max_size=12), off=st.sampled_from([-1, 1]))
def test_a_statement_holds_to_the_unit(provider, write, opening, amounts, off):
    closing = opening + sum(amounts)
    reading = read(provider, write(opening, amounts, closing), "x")
    assert (reading.refused, reading.control_total_ok) == (None, True)
    assert [entry.amount_minor for entry in reading.statements[0].lines] == amounts
    assert (reading.statements[0].opening_minor, reading.statements[0].closing_minor) == (opening, closing)
    broken = read(provider, write(opening, amounts, closing + off), "x")
    assert (broken.statements, broken.control_total_ok) == ((), False)


@settings(max_examples=30)
@given(st.lists(st.tuples(WORDS, AMOUNTS, AMOUNTS, WORDS), min_size=1, max_size=10))
def test_a_mapped_table_reads_what_was_written_in_any_words(lines):
    mapping = {
        "provider": "some-shop", "delimiter": ";", "decimal": ",", "currency": "KWD", "date_format": "%d.%m.%Y",
        "columns": {"id": "Nr", "gross": "Brutto", "fee": "Gebühr", "day": "Tag", "type": "Art"},
        "refs": {"order": "Bestellung"}, "types": {"Verkauf": "payment"},
    }  # fmt: skip
    rows = [["Nr", "Tag", "Art", "Brutto", "Gebühr", "Bestellung"]]
    rows += [
        [key, "28.02.2026", "Verkauf", major(g, "KWD", ","), major(f, "KWD", ","), order] for key, g, f, order in lines
    ]
    reading = read("csv", table(rows, delimiter=";"), "x.csv", mapping)
    assert reading.refused is None
    found = reading.statements[0].lines
    assert [(x.gross_minor, x.fee_minor, x.net_minor) for x in found] == [(g, f, g - f) for _, g, f, _ in lines]
    assert [dict(x.refs)["order"] for x in found] == [order for *_, order in lines]
    assert len({x.key for x in found}) == len(lines)


@given(
    st.binary(max_size=400), st.sampled_from(["stripe", "paypal", "adyen", "amazon", "camt", "mt940", "ofx", "shopify"])
)
def test_any_bytes_are_answered(content, provider):
    try:
        reading = read(provider, content, "x")
    except BadInput:
        return
    assert reading.refused is not None


def read_by_csv(text, delimiter):
    """What Python's csv reads, with the numbers of lines; an error as the words of its refusal."""
    reader, last, found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 0, []
    try:
        for cells in reader:
            first, last = last + 1, reader.line_num
            found += [(first, cells)] if "".join(cells).strip() else []
    except csv.Error as error:
        return found, f"line {reader.line_num}: no table: {error}"
    return found, ""


TABLES = st.lists(st.sampled_from(['"', '""', ",", ";", "\r", "\n", "\r\n", "\x85", " ", "a", "é", "b c"]), max_size=40)


@given(parts=TABLES, delimiter=st.sampled_from([",", ";"]))
@example(parts=["a", ",", '"', "\r\n", '"', "\n", "b", "\r", '"', "a"], delimiter=",")
def test_rows_are_those_of_csv_whether_quoted_or_not(parts, delimiter):
    text, found, refused = "".join(parts), [], ""
    try:
        found.extend(rows(text, delimiter))
    except BadInput as error:
        refused = f"{error.where}: {error.what}"
    assert (found, refused) == read_by_csv(text, delimiter)
