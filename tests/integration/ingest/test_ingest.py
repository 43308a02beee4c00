"""A history file into events and listed lines, once, whatever is read again."""

import gzip

import psycopg
import pytest

from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


@pytest.fixture
def write(shop):
    def write(path):
        reading, sha256 = shop.app.history.read(path)
        return shop.app.history.write(reading, sha256, path.name)

    return write


@pytest.fixture
def small(make):
    """Two orders, a refund, and one document for each rule that lists."""
    return [
        make.row("536365", quantity=6),
        make.row("536365", sku="POST", price="18.00"),
        make.row("536366", sku="22633", quantity=2, price="1.85", customer=""),
        make.row("C536379", quantity=-1, at="2011-05-03 10:00:00"),
        make.row("C536380", sku="BANK CHARGES", quantity=-1, price="15.00", customer=""),
        make.row("A563185", sku="B", price="-11062.06", customer=""),
        make.row("536414", sku="22139", quantity=-56, price="0", customer=""),
    ]


def stored(shop):
    return shop.rows("SELECT event_id, data FROM event ORDER BY position")


def test_a_small_file_becomes_events_and_listed_lines(shop, make, small, write, tmp_path):
    report = write(make.file(tmp_path / "small.csv", *small))
    assert (report.lines, report.accepted, report.duplicates, report.conflicts) == (7, 5, 0, ())
    events = dict(stored(shop))
    # In time order; what happened in the same minute stands in the file's order.
    assert list(events) == ["order:536365", "payment:536365", "order:536366", "payment:536366", "refund:C536379"]
    assert events["order:536365"]["total_minor"] == 6 * 255 + 1800
    assert events["order:536365"]["shipping_minor"] == 1800
    assert events["order:536365"]["customer_id"] == "17850"
    assert "customer_id" not in events["order:536366"]
    assert events["refund:C536379"]["amount_minor"] == 255
    assert events["refund:C536379"]["lines"][0]["quantity"] == 1

    listed = {row["rule"]: (row["documents"], row["lines"], row["value_minor"]) for row in shop.app.history.listed()}
    assert listed == {
        "bad_debt": (1, 1, -1106206),
        "fee_adjustment": (1, 1, -1500),
        "stock_write_off": (1, 1, 0),
    }
    assert shop.rows("SELECT name, lines FROM source_file") == [("small.csv", 7)]
    assert shop.app.events.verify().is_intact


def test_a_second_reading_adds_nothing(shop, make, small, write, tmp_path):
    path = make.file(tmp_path / "small.csv", *small)
    write(path)
    before = stored(shop), shop.rows("SELECT * FROM listed_line ORDER BY document"), shop.app.events.head()
    report = write(path)
    assert (report.accepted, report.duplicates, report.conflicts) == (0, 5, ())
    assert (stored(shop), shop.rows("SELECT * FROM listed_line ORDER BY document"), shop.app.events.head()) == before
    assert shop.one("SELECT count(*) FROM source_file") == 1


def test_the_same_lines_in_other_bytes_are_the_same_events(shop, make, small, write, tmp_path):
    path = make.file(tmp_path / "small.csv", *small)
    write(path)
    packed = tmp_path / "small.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    windows = tmp_path / "windows.csv"
    windows.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    american = make.file(
        tmp_path / "american.csv", *(row.replace("2011-05-02 09:00:00", "5/2/2011 9:00") for row in small)
    )
    for other in (packed, windows, american):
        report = write(other)
        assert (report.accepted, report.duplicates, report.conflicts) == (0, 5, ())
    assert shop.one("SELECT count(*) FROM listed_line") == 3


def test_files_that_overlap_list_a_line_once(shop, make, small, write, tmp_path):
    write(make.file(tmp_path / "first.csv", *small))
    more = [
        make.row("A563186", sku="B", price="-5.00", customer="", at="2011-05-04 09:00:00"),
        make.row("536500", at="2011-05-04 09:00:00"),
    ]
    report = write(make.file(tmp_path / "second.csv", *small[3:], *more))
    assert (report.accepted, report.duplicates, report.conflicts) == (2, 1, ())
    rows = shop.rows(
        "SELECT l.document, l.line, s.name, l.file_line FROM listed_line l JOIN source_file s USING (sha256) ORDER BY 1"
    )
    assert rows == [
        ("536414", 1, "first.csv", 8),
        ("A563185", 1, "first.csv", 7),
        ("A563186", 1, "second.csv", 6),
        ("C536380", 1, "first.csv", 6),
    ]
    assert shop.one("SELECT count(*) FROM source_file") == 2


def test_a_changed_invoice_is_a_conflict_and_overwrites_nothing(shop, make, small, write, tmp_path):
    write(make.file(tmp_path / "first.csv", *small))
    before = stored(shop)
    changed = [make.row("536365", quantity=7), *small[1:]]
    report = write(make.file(tmp_path / "second.csv", *changed))
    assert report.conflicts == ("shop/online-retail order:536365", "shop/online-retail payment:536365")
    assert (report.accepted, report.duplicates) == (0, 3)
    assert stored(shop) == before
    assert [row["event_id"] for row in shop.app.events.conflicts()] == ["order:536365", "payment:536365"]
    shop.app.money_events.post_pending()
    assert shop.app.books.books().trial_balance == {"GBP": 0}
    assert shop.app.books.totals()[0] == 3  # the changed payment was not posted


def test_an_invoice_cut_in_half_is_a_conflict(shop, make, small, write, tmp_path):
    write(make.file(tmp_path / "first.csv", *small))
    report = write(make.file(tmp_path / "second.csv", small[0], *small[2:]))
    assert len(report.conflicts) == 2


def test_a_bad_line_anywhere_writes_nothing(shop, make, small, tmp_path):
    path = make.file(tmp_path / "bad.csv", *small, make.row("536600", price="lots"))
    with pytest.raises(BadInput, match="line 9"):
        shop.app.history.read(path)
    for table in ("event", "listed_line", "source_file"):
        assert shop.one(f"SELECT count(*) FROM {table}") == 0


def test_a_crash_between_batches_is_made_good_by_the_next_reading(shop, make, write, tmp_path, monkeypatch):
    monkeypatch.setattr("steward.ingest.service.history._BATCH", 4)
    path = make.file(tmp_path / "many.csv", *(make.row(str(600000 + n)) for n in range(10)))
    append, calls = shop.app.events.append, []

    def fails_the_third_time(envelopes):
        calls.append(len(envelopes))
        if len(calls) == 3:
            raise ZeroDivisionError
        return append(envelopes)

    monkeypatch.setattr(shop.app.events, "append", fails_the_third_time)
    with pytest.raises(ZeroDivisionError):
        write(path)
    assert shop.one("SELECT count(*) FROM event") == 8
    assert shop.one("SELECT count(*) FROM source_file") == 0
    monkeypatch.setattr(shop.app.events, "append", append)
    report = write(path)
    assert (report.accepted, report.duplicates) == (12, 8)
    assert [row[0] for row in shop.rows("SELECT position FROM event ORDER BY 1")] == list(range(1, 21))


def test_the_lists_are_append_only(shop, fresh, make, small, write, tmp_path):
    write(make.file(tmp_path / "small.csv", *small))
    for table in ("listed_line", "source_file"):
        for statement in (f"UPDATE {table} SET sha256 = sha256", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
                connection.execute(statement)
            with psycopg.connect(fresh.owner) as owner, pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(statement)
