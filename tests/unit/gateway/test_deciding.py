from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.gateway.core.approvals import MEANING, Asked, Person, refuses

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
READING = timedelta(seconds=20)
HOURLY = 30
ASKED = Asked("awaiting_approval", "L2", "manager", "bot", NOW + timedelta(hours=1))
GRAVE = replace(ASKED, risk="L3", role="founder")
BEN = Person("ben", "manager")
ANA = Person("ana", "founder", looked_at=NOW - READING)
ENDED = ("ready", "executing", "succeeded", "rejected", "expired", "cancelled", "shadowed")


def code(asked=ASKED, person=BEN, now=NOW, *, says_yes=True):
    return refuses(asked, person, now, says_yes=says_yes, reading=READING, hourly=HOURLY)


@pytest.mark.parametrize(
    ("asked", "person"), [(ASKED, BEN), (ASKED, ANA), (GRAVE, ANA), (replace(ASKED, deadline=None), BEN)]
)
def test_who_may_decides(asked, person):
    assert code(asked, person) == code(asked, person, says_yes=False) == ""


@pytest.mark.parametrize("says_yes", [True, False])
@pytest.mark.parametrize(
    ("asked", "person", "expected"),
    [
        *[(replace(ASKED, state=state), BEN, "not_waiting") for state in ENDED],
        (replace(ASKED, deadline=NOW), BEN, "too_late"),
        (GRAVE, replace(BEN, looked_at=NOW - READING), "wrong_role"),
        (replace(ASKED, role=None), BEN, "wrong_role"),
        *[(ASKED, Person("bot2", role), "wrong_role") for role in ("operator", "agent", "service", "")],
        (replace(ASKED, proposer="ben"), BEN, "own_proposal"),
        (replace(GRAVE, proposer="ana"), ANA, "own_proposal"),
        (ASKED, replace(BEN, has_decided=True), "decided_before"),
    ],
)
def test_what_stands_against_a_yes_and_a_no(asked, person, expected, says_yes):
    assert code(asked, person, says_yes=says_yes) == expected
    assert expected in MEANING


@pytest.mark.parametrize(
    ("asked", "person", "expected"),
    [
        (GRAVE, replace(ANA, looked_at=None), "read_first"),
        (GRAVE, replace(ANA, looked_at=NOW - READING + timedelta(microseconds=1)), "read_first"),
        (GRAVE, replace(ANA, approved_within_hour=HOURLY), "tired"),
        (ASKED, replace(BEN, approved_within_hour=HOURLY), "tired"),
    ],
)
def test_what_stands_against_a_yes_only(asked, person, expected):
    assert code(asked, person) == expected
    assert code(asked, person, says_yes=False) == ""
    assert expected in MEANING


def test_one_more_approval_and_one_microsecond_less_are_still_in_time():
    assert code(person=replace(BEN, approved_within_hour=HOURLY - 1)) == ""
    assert code(now=ASKED.deadline - timedelta(microseconds=1)) == ""


def test_only_what_cannot_be_called_back_is_read_first():
    assert code(ASKED, replace(BEN, looked_at=None)) == ""


def test_the_first_thing_that_stands_against_it_is_named():
    """Each is mended in turn: the next one appears."""
    asked = replace(GRAVE, state="ready", deadline=NOW, proposer="ana")
    person = Person("ana", "agent", has_decided=True, looked_at=None, approved_within_hour=HOURLY)
    found = [code(asked, person)]
    for field, value in [
        ("state", "awaiting_approval"),
        ("deadline", None),
        ("role", "founder"),
        ("proposer", "bot"),
        ("has_decided", False),
        ("looked_at", NOW - READING),
        ("approved_within_hour", 0),
    ]:
        if field in ("state", "deadline", "proposer"):
            asked = replace(asked, **{field: value})
        else:
            person = replace(person, **{field: value})
        found.append(code(asked, person))
    assert found == [
        "not_waiting",
        "too_late",
        "wrong_role",
        "own_proposal",
        "decided_before",
        "read_first",
        "tired",
        "",
    ]


NAMES = st.sampled_from(["ana", "ben", "bot"])
AROUND = st.timedeltas(-timedelta(hours=2), timedelta(hours=2)).map(lambda by: NOW + by)
ASKINGS = st.builds(
    Asked,
    state=st.sampled_from(["awaiting_approval", *ENDED]),
    risk=st.sampled_from(["L2", "L3"]),
    role=st.sampled_from([None, "manager", "founder"]),
    proposer=NAMES,
    deadline=st.none() | AROUND,
).map(lambda asked: replace(asked, role="founder") if asked.risk == "L3" else asked)
PEOPLE = st.builds(
    Person,
    name=NAMES,
    role=st.sampled_from(["founder", "manager", "operator", "agent", "service", ""]),
    has_decided=st.booleans(),
    looked_at=st.none() | AROUND,
    approved_within_hour=st.integers(0, 2 * HOURLY),
)


@given(ASKINGS, PEOPLE)
def test_law_of_deciding(asked, person):
    """Only a founder decides L3, the proposer decides nothing, and a no is never too quick."""
    yes, no = code(asked, person), code(asked, person, says_yes=False)
    assert {yes, no} <= {"", *MEANING}
    if person.name == asked.proposer or person.role not in ("manager", "founder"):
        assert yes
        assert no
    if asked.risk == "L3" and person.role != "founder":
        assert yes
        assert no
    assert no not in ("read_first", "tired")
    assert no == ("" if yes in ("", "read_first", "tired") else yes)
    if yes == "" and asked.risk == "L3":
        assert person.looked_at is not None
        assert NOW - person.looked_at >= READING
