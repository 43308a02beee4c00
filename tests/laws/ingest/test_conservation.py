"""Every line of a history ends in exactly one of orders, refunds and the list, and no penny is lost on the way."""

from hypothesis import given
from hypothesis import strategies as st

from steward.catalog import load_catalog
from steward.ingest.core.classify import classify
from steward.ingest.core.rows import read_rows

RULES = load_catalog().history
LINES = st.builds(
    "{}{},{},thing,{},2011-07-{:02} 10:00:00,{},{},UK\n".format,
    st.sampled_from(["", "", "C", "A", "X"]),
    st.integers(1, 6),
    st.sampled_from(["A", "B2", "S", "POST", "AMAZONFEE"]),
    st.integers(-9, 9),
    st.integers(1, 28),
    st.sampled_from(["0", "1.25", "0.001", "0.005", "2.995", "-3.10"]),
    st.sampled_from(["", "17", "18.0"]),
)


@given(st.lists(LINES, min_size=1, max_size=30))
def test_lines_and_value_are_conserved(lines):
    rows = read_rows(",".join(RULES.columns) + "\n" + "".join(lines), RULES.columns, "x")
    reading = classify(rows, RULES)
    events = [e.data for e in reading.envelopes if e.type != "PaymentCaptured"]
    assert sum(len(data["lines"]) for data in events) + len(reading.listed) == len(rows)
    value = sum(data.get("total_minor", -data.get("amount_minor", 0)) for data in events)
    assert value + sum(item.row.value_minor for item in reading.listed) == sum(row.value_minor for row in rows)
