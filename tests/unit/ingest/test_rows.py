from datetime import UTC, datetime

import pytest

from steward.catalog import load_catalog
from steward.ingest.core.classify import classify
from steward.ingest.core.rows import MAX_ERRORS, read_rows
from steward.kernel.errors import BadInput

RULES = load_catalog().history
HEADER = ",".join(RULES.columns) + "\n"
GOOD = "536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"


def read(text):
    return read_rows(HEADER + text, RULES.columns, "file.csv")


def line(document="1", sku="A", quantity="1", at="2011-07-01 10:00:00", price="1.00", customer="7"):
    return f"{document},{sku},thing,{quantity},{at},{price},{customer},UK\n"


def test_a_row_is_read_exactly():
    (row,) = read(GOOD)
    assert (row.document, row.quantity, row.customer, row.value_minor) == ("536365", 6, "17850", 1530)
    assert row.at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert row.file_line == 2


def test_the_other_published_date_form_is_read():
    assert read(line(at="12/1/2010 8:26"))[0].at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("price", "quantity", "pence"), [("0.005", "1", 0), ("0.015", "1", 2), ("0.001", "25", 2), ("0.001", "15", 2)]
)
def test_a_lines_value_is_rounded_half_even(price, quantity, pence):
    assert read(line(price=price, quantity=quantity))[0].value_minor == pence


@pytest.mark.parametrize(
    "changes",
    [
        {"document": "=1"}, {"document": ""}, {"sku": " "}, {"quantity": "1.0"}, {"quantity": "1e3"}, {"quantity": ""},
        {"price": "1,0"}, {"price": "-"}, {"price": "1e9"}, {"price": "9" * 20}, {"customer": "x"}, {"customer": "7.5"},
        {"at": "2011-13-01 10:00:00"}, {"at": "yesterday"}, {"sku": "A\x00"}, {"sku": "A" * 65},
    ],
)  # fmt: skip
def test_a_bad_field_names_its_line(changes):
    with pytest.raises(BadInput, match="line 3"):
        read(GOOD + line(**changes))


def test_all_bad_lines_are_listed_up_to_a_limit():
    with pytest.raises(BadInput) as caught:
        read(line(quantity="x") * (MAX_ERRORS + 5))
    assert str(caught.value).count("line ") == MAX_ERRORS
    assert "further lines" in str(caught.value)


def test_a_file_without_its_last_newline_looks_cut_off():
    with pytest.raises(BadInput, match="line 3"):
        read(GOOD + GOOD.rstrip())


def kinds(text):
    reading = classify(read(text), RULES)
    return [event.type for event in reading.envelopes], [item.rule for item in reading.listed]


@pytest.mark.parametrize(
    ("text", "events", "listed"),
    [
        (line(), ["OrderPlaced", "PaymentCaptured"], []),
        (line(price="0"), ["OrderPlaced"], []),
        (line(quantity="-3", price="0"), [], ["stock_write_off"]),
        (line(quantity="2") + line(quantity="-1"), ["OrderPlaced", "PaymentCaptured"], []),
        (line(document="C9", quantity="-1"), ["RefundProcessed"], []),
        (line(document="C9", quantity="-1", sku="AMAZONFEE"), [], ["fee_adjustment"]),
        (line(document="C9", quantity="-1", sku="S") + line(document="C9", quantity="-1"), ["RefundProcessed"], []),
        (line(document="A5", price="-11062.06"), [], ["bad_debt"]),
        (line(document="X5"), [], ["unknown_document"]),
    ],
)  # fmt: skip
def test_a_document_is_what_the_definitions_say(text, events, listed):
    assert kinds(text) == (events, listed)


def test_an_invoice_is_of_its_earliest_time_and_keeps_equal_lines():
    reading = classify(read(line(at="2011-07-01 10:01:00") + line() + line()), RULES)
    order = reading.envelopes[0]
    assert order.time == datetime(2011, 7, 1, 10, tzinfo=UTC)
    assert len(order.data["lines"]) == 3


def test_postage_is_told_apart_in_the_capture():
    reading = classify(read(line() + line(sku="POST", price="4.00")), RULES)
    assert reading.envelopes[1].data["shipping_minor"] == 400
    assert reading.envelopes[1].data["amount_minor"] == 500
