"""Links to what waits: whoever changes a character of one, or comes too late, is not believed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from steward.gateway.core.links import Link, make_link, read_link

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, OTHER = b"k" * 32, b"o" * 32
ACTION, DIGEST = "act_" + "0123456789abcdef" * 2, "ab" * 32
TOKEN = make_link(KEY, ACTION, DIGEST, NOW + timedelta(hours=1))


def test_a_link_names_its_action_until_its_end():
    assert read_link(KEY, TOKEN, NOW) == Link(ACTION, DIGEST[:16], NOW + timedelta(hours=1))
    assert read_link(KEY, TOKEN, NOW + timedelta(hours=1)) == "over"
    assert read_link(OTHER, TOKEN, NOW) == "forged"


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_no_character_of_it_can_be_another(place, letter):
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    assert changed == TOKEN or read_link(KEY, changed, NOW) == "forged"


@given(st.text(max_size=300))
def test_no_other_text_is_believed(text):
    assert read_link(KEY, text, NOW) == "forged"


def test_cut_off_or_longer_is_forged():
    for text in (TOKEN[:-1], TOKEN + "A", TOKEN + "=", TOKEN.partition(".")[0], ""):
        assert read_link(KEY, text, NOW) == "forged"
