"""Well-kept parsers beside our readers: where both read, they agree; where they do not, ours is the stricter one.

Why ours are our own: docs/decisions/0023-own-statement-readers.md.
"""

import io
import warnings
from collections import Counter
from datetime import datetime
from decimal import Decimal

import mt940
import ofxparse
import openpyxl

from steward.kernel.errors import BadInput
from steward.reconciliation.readers import read


def cents(value):
    return int(Decimal(value) * 100)


def test_mt940_agrees_entry_by_entry(own, pytestconfig):
    path = pytestconfig.rootpath / "tests/unit/reconciliation/readers/files/mt940.sta"
    theirs = mt940.parse(path.read_text(encoding="utf-8").replace(":61:260230", ":61:260228"))
    amounts = [cents(entry.data["amount"].amount) for entry in theirs]
    ours = [entry for statement in own("mt940.sta").statements for entry in statement.lines]
    assert Counter(map(abs, amounts)) == Counter(abs(entry.amount_minor) for entry in ours)


def test_mt940_takes_a_message_whose_balances_do_not_hold(changed):
    text = ":20:S\n:25:X\n:28C:1/1\n:60F:C260301EUR100,00\n:61:260301C5,00NTRFR\n:62F:C260301EUR106,00\n-\n"
    assert len(mt940.parse(text)) == 1
    assert read("mt940", text.encode(), "x").refused.reason.endswith("its lines make EUR 105.00")


def test_mt940_keeps_one_pair_of_balances_for_all_messages(own):
    text = "".join(
        f":20:S\n:25:X\n:28C:{n}/1\n:60F:C26030{n}EUR{n},00\n:62F:C26030{n}EUR{n},00\n-\n" for n in range(1, 4)
    )
    balances = [mt940.parse(text).data["final_opening_balance"]]
    assert len(balances) == 1
    assert [s.opening_minor for s in read("mt940", text.encode(), "x").statements] == [100, 200, 300]


def test_ofxparse_agrees_entry_by_entry(own, pytestconfig):
    path = pytestconfig.rootpath / "tests/unit/reconciliation/readers/files/ofx1.ofx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks at SGML with an HTML parser, and says so
        theirs = ofxparse.OfxParser.parse(io.BytesIO(path.read_bytes())).account.statement
    ours = own("ofx1.ofx").statements[0]
    assert [(x.id, cents(x.amount)) for x in theirs.transactions] == [
        (dict(x.refs)["bank"], x.amount_minor) for x in ours.lines
    ]
    assert cents(theirs.balance) == ours.closing_minor


MAPPING = {
    "currency": "USD", "date_format": "%Y-%m-%d %H:%M:%S", "sheet": "Data", "columns": {"net": "paid", "at": "when"},
}  # fmt: skip


def workbook(amounts, when=datetime(2026, 3, 1, 10, 30)):  # noqa: DTZ001 - a cell knows no zone
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Data")
    sheet.append(["when", "paid", "note"])
    for amount in amounts:
        sheet.append([when, amount, "ünïcode"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_of_another_writer_reads_to_the_cent_where_floats_do_not():
    """The sum of the floats openpyxl hands over is not the sum of what stands in the cells."""
    amounts = [0.1, 0.29, 1234567.89, -1.15, 1000, 0.07]
    content = workbook(amounts)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Data"]
    floats = [row[1].value for row in sheet.iter_rows(min_row=2)]
    assert all(isinstance(value, float | int) for value in floats)
    lines = read("csv", content, "x.xlsx", MAPPING).statements[0].lines
    assert [line.net_minor for line in lines] == [10, 29, 123456789, -115, 100000, 7]
    assert sum(line.net_minor for line in lines) != sum(int(value * 100) for value in floats)
    assert lines[0].at.isoformat() == "2026-03-01T10:30:00+00:00"


def test_a_cell_with_a_part_of_a_cent_is_refused():
    assert "no whole minor unit" in read("csv", workbook([1.005]), "x.xlsx", MAPPING).refused.reason


def test_a_damaged_workbook_is_refused_or_reads_the_same():
    whole = workbook([1, 2])
    sound = read("csv", whole, "x.xlsx", MAPPING)
    refused = 0
    for place in range(0, len(whole), 37):
        content = bytearray(whole)
        content[place] ^= 0xFF
        try:
            reading = read("csv", bytes(content), "x.xlsx", MAPPING)
        except BadInput:
            refused += 1
            continue
        assert reading.refused or reading == sound
    assert refused > 20


def test_a_tiktok_workbook_reads_like_its_table(own, pytestconfig):
    path = pytestconfig.rootpath / "tests/unit/reconciliation/readers/files/tiktok_statement.csv"
    book = openpyxl.Workbook()
    book.active.title = "Reports"
    sheet = book.create_sheet("Order details")
    for line in path.read_text(encoding="utf-8").splitlines():
        sheet.append([float(cell) if cell.replace(".", "").replace("-", "").isdigit() and "." in cell else cell
                      for cell in line.split(",")])  # fmt: skip
    out = io.BytesIO()
    book.save(out)
    assert read("tiktok", out.getvalue(), "tiktok_statement.xlsx").statements == own("tiktok_statement.csv").statements
