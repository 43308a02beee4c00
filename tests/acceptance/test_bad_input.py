"""Bad files get a clear error that names the line, and change nothing."""

import gzip

import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
GOOD = '536365,85123A,"WHITE, HANGING",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n'


def case(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


BAD = {
    "truncated line": (HEADER + GOOD + "536366,85123A,WHI", "line 3"),
    "truncated in the last field": (HEADER + GOOD + GOOD[:-8], "line 3"),
    "truncated gzip": (gzip.compress(case(HEADER + GOOD * 500))[:-20], "gzip"),
    "wrong encoding": (case(HEADER + GOOD) + GOOD.replace("WHITE", "\xa340").encode("latin-1"), "line 3"),
    "wrong column": (HEADER.replace("UnitPrice", "Price") + GOOD, "UnitPrice"),
    "other order": (HEADER.replace("InvoiceNo,StockCode", "StockCode,InvoiceNo") + GOOD, "line 1"),
    "too few fields": (HEADER + GOOD + "536365,85123A,6\n", "line 3"),
    "not a number": (HEADER + GOOD + GOOD.replace(",6,", ",six,"), "line 3"),
    "infinite price": (HEADER + GOOD.replace("2.55", "inf"), "line 2"),
    "exponent": (HEADER + GOOD.replace("2.55", "1e999999"), "line 2"),
    "huge number": (HEADER + GOOD.replace(",6,", "," + "9" * 5000 + ","), "line 2"),
    "impossible date": (HEADER + GOOD.replace("2010-12-01", "2010-02-30"), "line 2"),
    "NUL byte": (HEADER + GOOD.replace("WHITE", "WH\x00TE"), "line 2"),
    "open quote": (HEADER + GOOD + '536366,1,"never closed,1,2010-12-01 08:26:00,1.00,1,UK\n' * 3, "line"),
    "field too large": (HEADER + GOOD.replace("WHITE", "W" * 200_000), "line 2"),
    "formula": (HEADER + GOOD.replace("536365", "=1+1"), "line 2"),
    "header only": (HEADER, "no lines"),
    "empty": ("", "line 1"),
    "binary": (bytes(range(256)) * 50, "line"),
}


@pytest.fixture(scope="module")
def shop(make_shop):
    shop = make_shop()
    shop.json("db", "migrate")
    return shop


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_and_changes_nothing(shop, tmp_path, name):
    content, expected = BAD[name]
    path = tmp_path / "history.csv"
    path.write_bytes(case(content))
    result = shop.here("demo", "--once", "--json", "--data", path)
    assert result.returncode == 2, result.stderr
    assert expected in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert shop.json("events", "verify", here=True)["count"] == 0


def test_a_missing_file_is_refused(shop, tmp_path):
    result = shop.run("demo", "--once", "--data", tmp_path / "nowhere.csv")
    assert result.returncode == 2
    assert "nowhere.csv" in result.stderr
