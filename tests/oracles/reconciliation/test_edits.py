"""The bounded distance beside the textbook's full table, on ids with slips and on short words."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from steward.reconciliation.core.edits import NEAR, pieces, within


def full(one, other):
    """The restricted Damerau-Levenshtein distance by its recursion."""

    @cache
    def at(i, j):
        if i == 0 or j == 0:
            return i + j
        best = min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (one[i - 1] != other[j - 1]))
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            best = min(best, at(i - 2, j - 2) + 1)
        return best

    return at(len(one), len(other))


WORDS = st.text("ab1", max_size=9)


@given(WORDS, WORDS, st.integers(0, 4))
def test_the_distance_is_the_textbooks(one, other, limit):
    wanted = full(one, other)
    assert within(one, other, limit) == (wanted if wanted <= limit else None)


SLIPS = st.tuples(st.sampled_from(["lose", "double", "change", "swap"]), st.integers(0, 30), st.sampled_from("abc123"))


@given(st.text("abc123", min_size=10, max_size=26), st.lists(SLIPS, max_size=NEAR))
def test_slips_are_counted_and_leave_a_piece_unhurt(text, slips):
    hurt = text
    for kind, place, letter in slips:
        at = place % (len(hurt) - 1)
        hurt = {
            "lose": hurt[:at] + hurt[at + 1 :],
            "double": hurt[: at + 1] + hurt[at:],
            "change": hurt[:at] + letter + hurt[at + 1 :],
            "swap": hurt[:at] + hurt[at + 1] + hurt[at] + hurt[at + 2 :],
        }[kind]
    apart = within(text, hurt)
    assert apart == (full(text, hurt) if full(text, hurt) <= NEAR else None)
    if apart is not None:
        near = [hurt[max(0, at - NEAR) : at + len(piece) + NEAR] for at, piece in pieces(text)]
        assert any(piece in around for (_, piece), around in zip(pieces(text), near, strict=True))
