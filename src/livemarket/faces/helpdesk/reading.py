"""Reading: lists by cursor, one ticket, its comments, users, and search."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.helpdesk.desk import AGENT, customer_of, user, user_number
from livemarket.faces.helpdesk.refusals import Action, Refused, absent
from livemarket.faces.pages import by_cursor

if TYPE_CHECKING:
    from livemarket.faces.helpdesk.face import HelpDesk

MOST = 100
SEARCHED = ("type", "external_id", "status", "requester_id")


def table(face: HelpDesk) -> list[tuple[str, str, Action]]:
    """Method, path without .json, action."""
    return [
        ("GET", "/tickets", lambda call: _tickets(face, call)),
        ("GET", "/tickets/{id}", lambda call: answered(200, {"ticket": _shown(face, found(face, call), call)})),
        ("GET", "/tickets/{id}/comments", lambda call: _comments(face, call)),
        ("GET", "/users", lambda call: _users(face, call)),
        ("GET", "/users/me", lambda call: answered(200, {"user": agent(call.base)})),
        ("GET", "/users/search", lambda call: _user_search(face, call)),
        ("GET", "/users/{id}", lambda call: _user(face, call)),
        ("GET", "/users/{id}/tickets/requested", lambda call: _requested(face, call)),
        ("GET", "/search", lambda call: _search(face, call)),
    ]


def found(face: HelpDesk, call: Call) -> int:
    """The row of the ticket in the path."""
    row = face.desk.named(call.found["id"].removesuffix(".json"))
    if row is None:
        raise absent()
    return row


def _shown(face: HelpDesk, row: int, call: Call) -> dict[str, Any]:
    return face.desk.ticket(row, face.view.now, call.base)


def paged(call: Call, name: str, rows: dict[int, Callable[[], dict[str, Any]]]) -> Answer:
    """One page of a list by cursor. `rows`: for each id, what makes its object; only those of the page are made."""
    asked = dict(call.pairs())
    ids = [str(key) for key in rows]
    size = asked.get("page[size]", str(MOST))
    if not size.isdigit() or not 1 <= int(size) <= MOST:
        raise Refused(400, "InvalidPaginationParameter", f"page[size] is from 1 to {MOST}")
    after, before = _cursor(asked.get("page[after]", "")), _cursor(asked.get("page[before]", ""))
    page = by_cursor(ids, int(size), after, before)
    if page is None:
        raise Refused(400, "InvalidPaginationParameter", "page[after] or page[before] is no cursor of this list")
    chosen, more = page
    rest = "&".join(f"{quote(k)}={quote(v)}" for k, v in call.pairs() if not k.startswith("page["))
    ends = {"after": _written(chosen[-1]), "before": _written(chosen[0])} if chosen else {"after": None, "before": None}

    def link(way: str) -> str | None:
        if ends[way] is None:
            return None
        query = "&".join(filter(None, [rest, f"page[size]={size}", f"page[{way}]={ends[way]}"]))
        return f"{call.base}{call.path}?{query}"

    return answered(200, {
        name: [rows[int(key)]() for key in chosen],
        "meta": {"has_more": more, "after_cursor": ends["after"], "before_cursor": ends["before"]},
        "links": {"prev": link("before"), "next": link("after") if more or before else None},
    })  # fmt: skip


def _written(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _cursor(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "?"


def _tickets(face: HelpDesk, call: Call) -> Answer:
    external, sort = call.asked("external_id"), call.asked("sort", "id")
    rows = face.desk.rows() if not external else _external(face, external)
    key, now = sort.removeprefix("-"), face.view.now
    if key == "updated_at":
        rows.sort(key=lambda row: face.desk.updated(row, now))
    elif key == "status":
        rows.sort(key=lambda row: face.desk.status(row, now))
    elif key != "id":  # ids follow the order in which tickets were written
        raise Refused(400, "InvalidParameter", "sort is id, updated_at or status, or one of them with a minus before")
    return paged(call, "tickets", _made(face, rows[::-1] if sort.startswith("-") else rows, call))


def _made(face: HelpDesk, rows: list[int], call: Call) -> dict[int, Callable[[], dict[str, Any]]]:
    return {face.desk.number(row): partial(_shown, face, row, call) for row in rows}


def _external(face: HelpDesk, name: str) -> list[int]:
    """The ticket of this external id, if it was written by now."""
    order = face.view.named_order(name.removeprefix("tkt-")) if name.startswith("tkt-") else None
    row = None if order is None else face.desk.of_order(order)
    return [] if row is None else [row]


def _comments(face: HelpDesk, call: Call) -> Answer:
    made = face.desk.comments(found(face, call), face.view.now)
    return paged(call, "comments", {comment["id"]: partial(dict, comment) for comment in made})


def agent(base: str) -> dict[str, Any]:
    return {
        "id": AGENT, "url": f"{base}/api/v2/users/{AGENT}.json", "name": "Agent", "email": "agent@simulated.example",
        "role": "agent", "active": True, "external_id": None, "verified": True, "suspended": False, "tags": [],
    }  # fmt: skip


def _users(face: HelpDesk, call: Call) -> Answer:
    made: dict[int, Callable[[], dict[str, Any]]] = {AGENT: partial(agent, call.base)}
    for who, since in face.desk.writers().items():
        made[user_number(who)] = partial(user, who, since, call.base)
    return paged(call, "users", made)


def _user(face: HelpDesk, call: Call) -> Answer:
    text = call.found["id"].removesuffix(".json")
    if text == str(AGENT):
        return answered(200, {"user": agent(call.base)})
    who = customer_of(int(text)) if text.isdigit() and len(text) < 12 else None
    people = face.desk.writers()
    if who is None or who not in people:
        raise absent()
    return answered(200, {"user": user(who, people[who], call.base)})


def _user_search(face: HelpDesk, call: Call) -> Answer:
    external, query = call.asked("external_id"), call.asked("query")
    if not external and not query:
        raise Refused(400, "InvalidParameter", "external_id or query is needed")
    people = [user(who, since, call.base) for who, since in face.desk.writers().items()]
    query = query.removeprefix("email:")
    hits = [p for p in people if external == p["external_id"] or (query and query in {p["email"], p["name"]})]
    return answered(200, {"users": hits, "count": len(hits), "next_page": None, "previous_page": None})


def _requested(face: HelpDesk, call: Call) -> Answer:
    text = call.found["id"]
    rows = [row for row in face.desk.rows() if str(user_number(face.desk.customer(row))) == text]
    return paged(call, "tickets", _made(face, rows, call))


def _search(face: HelpDesk, call: Call) -> Answer:
    """`type:ticket` with external_id:, status:, requester_id:, and words that stand in subject or description."""
    given = [word.partition(":") for word in call.asked("query").split()]
    if not given:
        raise Refused(400, "InvalidParameter", "query is needed")
    wanted = {name: value.strip('"') for name, colon, value in given if colon}
    unknown = set(wanted) - set(SEARCHED)
    if unknown or wanted.get("type", "ticket") != "ticket":
        raise Refused(422, "InvalidQuery", f"this world searches tickets by {', '.join(SEARCHED[1:])} and by words")
    words = [name.lower() for name, colon, _ in given if not colon]
    hits: list[dict[str, Any]] = []
    for row in _external(face, wanted["external_id"]) if "external_id" in wanted else face.desk.rows():
        made = _shown(face, row, call)
        text = f"{made['subject']} {made['description']}".lower()
        if all(str(made[k]) == v for k, v in wanted.items() if k != "type") and all(word in text for word in words):
            hits.append(made | {"result_type": "ticket"})
    return answered(200, {"results": hits[:MOST], "count": len(hits), "next_page": None, "previous_page": None})
