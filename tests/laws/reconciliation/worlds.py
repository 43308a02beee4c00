"""Small worlds in which everything collides: few amounts, few instants, ids that are shared, damaged or missing."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from steward.contracts.settlement import Expected, FeeTerms, Statement, StatementLine
from steward.reconciliation.core.calendars import Window

AS_OF = datetime(2026, 3, 9, tzinfo=UTC)
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
TERMS = [FeeTerms("p", "payment", "USD", 29_000, 30)]
WINDOW = Window("p", latest=2, seconds=300, margin_seconds=60)

PAYMENTS = ["pi_aaaaaaaaaaaa", "pi_aaaaaaaaaaab", "pi_zzzzzzzzzzzz", "pi_7"]
ORDERS = ["order-000000001", "order-000000002", "o3"]
TYPES = st.sampled_from(["payment", "payment", "payment", "refund", "unknown"])
AMOUNTS = st.sampled_from([100, 100, 200, 300, 10_000])
INSTANTS = st.builds(
    lambda day, seconds: START + timedelta(days=day, seconds=seconds),
    st.sampled_from([0, 0, 1, 4]),
    st.sampled_from([0, 20, 100, 250, 400]),
)


def refs(own):
    payment = st.sampled_from(PAYMENTS).map(lambda value: ((own, value),))
    order = st.sampled_from(ORDERS).map(lambda value: (("order", value),))
    none = st.just(())
    return st.builds(lambda a, b: a + b, st.one_of(none, payment), st.one_of(none, order))


@st.composite
def lines(draw, number):
    kind = draw(TYPES)
    gross = draw(AMOUNTS) * (-1 if kind == "refund" else 1)
    fee = draw(st.sampled_from([0, 32, 33, 34, 320]))
    at = draw(INSTANTS)
    day = draw(st.sampled_from([at.date(), at.date() + timedelta(days=5), None]))
    own = "refund" if kind == "refund" else "payment"
    currency = draw(st.sampled_from(["USD", "USD", "USD", "EUR"]))
    told = draw(st.sampled_from([at, at, None]))
    return StatementLine(
        number, f"l{number}", kind, kind, currency, gross, fee, gross - fee, told, day, draw(refs(own))
    )


@st.composite
def moves(draw, number):
    kind = draw(TYPES.filter(lambda name: name != "unknown"))
    gross = draw(AMOUNTS) * (-1 if kind == "refund" else 1)
    fee = draw(st.sampled_from([None, None, 0, 33, 320]))
    own = "refund" if kind == "refund" else "payment"
    return Expected(f"e{number}", kind, "USD", gross, fee, draw(INSTANTS), draw(refs(own)))


@st.composite
def copies(draw, number, move):
    """A line that tells a movement, more or less."""
    fee = move.fee_minor
    if fee is None:
        fee = (290 if move.gross_minor == 10_000 else 3 * abs(move.gross_minor) // 100) + 30
    fee += draw(st.sampled_from([0, 0, 0, 1, -1, 2]))
    gross = move.gross_minor + draw(st.sampled_from([0, 0, 0, 0, 0, 100]))
    at = move.at + timedelta(seconds=draw(st.sampled_from([0, 0, 5, 90])))
    day = at.date() + timedelta(days=draw(st.sampled_from([0, 0, 0, 0, 1, -1, 6])))
    told = draw(st.sampled_from([at, at, at, None]))
    ids = draw(
        st.sampled_from(
            [
                move.refs,
                (),
                (),
                move.refs[:1],
                move.refs[1:],
                tuple((kind, value[:-1]) for kind, value in move.refs),
                tuple((kind, value + "x") for kind, value in move.refs),
            ]
        )
    )
    return StatementLine(number, f"l{number}", move.type, "", "USD", gross, fee, gross - fee, told, day, ids)


@st.composite
def worlds(draw, most=5):
    """(lines, movements, windows)."""
    known = [draw(moves(number)) for number in range(draw(st.integers(0, most)))]
    told = []
    for number in range(draw(st.integers(0, most))):
        again = known and draw(st.integers(0, 5))
        told.append(draw(copies(number, draw(st.sampled_from(known))) if again else lines(number)))
    seconds = draw(st.sampled_from([300, None]))
    windows = draw(st.sampled_from([[Window("p", latest=2, seconds=seconds)], [WINDOW], [WINDOW], []]))
    return told, known, windows


def statements(told, cut=None):
    """One statement, or two."""
    if cut is None:
        return [Statement("s", "p", "a", "USD", tuple(told))]
    return [Statement("s", "p", "a", "USD", tuple(told[:cut])), Statement("t", "p", "a", "USD", tuple(told[cut:]))]
