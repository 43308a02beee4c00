"""Files made to hurt: each is refused in bounded time and memory, with a reason."""

import io
import tracemalloc
import zipfile

import pytest

from steward.kernel.errors import BadInput
from steward.reconciliation.readers import read, tables

CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
STRIPE = "automatic_payout_id,balance_transaction_id,created,currency,gross,fee,net,reporting_category\n"


def archive(parts, **options):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **options) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return made.getvalue()


BOOK = {
    "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r1" Target="s.xml"/></Relationships>',
}


def laughs():
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE d [<!ENTITY a0 "ha">{entities}]><Document xmlns="{CAMT}">&a11;</Document>'.encode()


HURTING = {
    "entities in entities": ("camt", laughs(), "a document type is not read"),
    "an outside entity": (
        "camt",
        f'<!DOCTYPE d [<!ENTITY x SYSTEM "http://127.0.0.1/x">]><Document xmlns="{CAMT}">&x;</Document>'.encode(),
        "a document type is not read",
    ),
    "a document type in OFX": ("ofx", b"<!DOCTYPE x><OFX><STMTRS></STMTRS></OFX>", "a document type is not read"),
    "deep XML": ("camt", b"<a>" * 5_000 + b"</a>" * 5_000, "too deep"),
    "deep OFX": ("ofx", b"<OFX>" + b"<A>\n" * 5_000, "nested too deep"),
    "deep JSON": ("shopify", b"[" * 200_000 + b"]" * 200_000, "not JSON"),
    "a giant field": ("stripe", (STRIPE + "a" * 200_000).encode(), "field larger than field limit"),
    "a giant text in XML": ("camt", f'<Document xmlns="{CAMT}">{"x" * 200_000}</Document>'.encode(), "too long"),
    "a giant number": (
        "stripe",
        (STRIPE + f"po,t,2026-01-01 00:00:00,usd,{'9' * 5_000},0,1,charge\n").encode(),
        "is no amount",
    ),
    "a number beyond money": (
        "stripe",
        (STRIPE + f"po,t,2026-01-01 00:00:00,usd,{'9' * 17},0,{'9' * 17},charge\n").encode(),
        "beyond any money",
    ),
    "a number of a million digits in JSON": ("shopify", b'{"payouts": [' + b"9" * 1_000_000 + b"]}", "not JSON"),
    "an exponent in JSON": (
        "stripe",
        b'[{"object": "balance_transaction", "currency": "usd", "amount": 1e400, "fee": 0, "net": 1}]',
        "is no whole number",
    ),
    "not a number in JSON": ("shopify", b'{"payouts": [NaN]}', "is no number"),
    "a key twice in JSON": ("shopify", b'{"payouts": [], "payouts": []}', "comes twice"),
    "an archive that is none": ("tiktok", b"PK\x03\x04" + b"\x00" * 100, "no workbook"),
    "an archive of something else": ("tiktok", archive({"a.txt": "x"}), "has no xl/workbook.xml"),
    "a thousand parts and more": ("tiktok", archive({f"p{n}": "" for n in range(2_100)}), "too many parts"),
    "a zero byte": ("stripe", (STRIPE + "po,\x00").encode(), "zero character"),
    "an unclosed quotation": ("stripe", (STRIPE + '"po,t\n').encode(), "no table"),
    "an error in a cell": (
        "tiktok",
        archive({**BOOK, "xl/s.xml": '<worksheet><row><c t="e"><v>#REF!</v></c></row></worksheet>'}),
        "holds the error",
    ),
    "a cell out of the sheet": (
        "tiktok",
        archive({**BOOK, "xl/s.xml": '<worksheet><row><c r="XFD1"><v>1</v></c></row></worksheet>'}),
        "too far",
    ),
    "a text that is not there": (
        "tiktok",
        archive({**BOOK, "xl/s.xml": '<worksheet><row><c t="s"><v>7</v></c></row></worksheet>'}),
        "a text that is not there",
    ),
}


@pytest.mark.parametrize("what", HURTING)
def test_a_hurting_file_is_refused(what):
    provider, content, words = HURTING[what]
    try:
        reading = read(provider, content, "x")
    except BadInput as error:
        assert words in str(error)  # noqa: PT017 - either way of refusing is right, both say why
        return
    assert reading.refused is not None
    assert any(words in bad.reason for bad in reading.rejected)


def test_a_small_archive_that_unpacks_to_very_much_is_stopped_on_the_way(monkeypatch):
    monkeypatch.setattr("steward.reconciliation.readers.workbook.LARGEST_FILE", 1_000_000)
    bomb = archive({**BOOK, "xl/s.xml": b"<worksheet>" + b" " * 50_000_000}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    tracemalloc.start()
    with pytest.raises(BadInput, match="unpacks to more than"):
        read("tiktok", bomb, "x.xlsx")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_file_beyond_the_bound_is_not_looked_into(monkeypatch):
    monkeypatch.setattr(tables, "LARGEST_FILE", 1_000)
    with pytest.raises(BadInput, match="larger than"):
        read("stripe", b"a" * 1_001, "x")


def test_more_rows_than_any_statement_are_refused(monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 10)
    with pytest.raises(BadInput, match="more than 10 rows"):
        read("stripe", (STRIPE + "a\n" * 11).encode(), "x")


MAPPING = {"columns": {"net": "a", "day": "b"}, "currency": "USD"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, "needs a mapping"),
        ({"columns": {"day": "b"}}, "no column for the amount"),
        ({"columns": {"net": "a"}}, "no column for the time"),
        ({"currency": None}, "no currency"),
        ({"currency": "usd"}, "currency"),
        ({"grouping": "."}, "are the same"),
        ({"date_format": "%d %B %Y"}, "%B is not read"),
        ({"date_format": "%d.%m"}, "names %Y, %m and %d"),
        ({"time_zone": "Mars/Olympus"}, "is no time zone"),
        ({"time_zone": "../../etc/passwd"}, "is no time zone"),
        ({"columns": {"net": "a", "day": "b", "colour": "c"}}, "columns.colour"),
        ({"types": {"x": "gift"}}, "types.x"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_before_the_file(change, words):
    with pytest.raises(BadInput, match=words.replace(".", r"\.")):
        read("csv", b"a,b\n1,2026-01-01\n", "x.csv", None if change is None else {**MAPPING, **change})
