"""Updates: comments and solving reach the world; the rest is kept beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livemarket.core.acts import Verb
from livemarket.faces.business import iso
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.helpdesk.desk import AGENT, Kept, Note
from livemarket.faces.helpdesk.reading import found
from livemarket.faces.helpdesk.refusals import Action, Refused, document, invalid
from livemarket.faces.shapes import an_object, texts

if TYPE_CHECKING:
    from livemarket.faces.helpdesk.face import HelpDesk

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = (None, "low", "normal", "high", "urgent")
KNOWN = {
    "status", "comment", "priority", "tags", "additional_tags", "assignee_id", "safe_update", "updated_stamp",
}  # fmt: skip


def table(face: HelpDesk) -> list[tuple[str, str, Action]]:
    """Method, path without .json, action."""
    return [("PUT", "/tickets/{id}", lambda call: _update(face, call))]


def _texts(given: dict[str, Any], name: str) -> list[str]:
    made = texts(given.get(name, []))
    if made is None:
        raise invalid(name, f"{name} is a list of words")
    return made


def _checked(face: HelpDesk, row: int, given: dict[str, Any]) -> tuple[str, str, bool]:
    """The status, comment and its publicity that are asked for, or a refusal before anything is done."""
    now = face.view.now
    if unknown := set(given) - KNOWN:
        raise invalid(min(unknown), "this world keeps no such field")
    status = given.get("status", "")
    if status and status not in STATUSES:
        raise invalid("status", f"Status: {status} is not valid")
    if status == "closed":
        raise invalid("status", "Status: closed is set by the help desk itself, four days after solved")
    if given.get("priority") not in PRIORITIES:
        raise invalid("priority", "Priority: is low, normal, high or urgent")
    if face.desk.status(row, now) == "closed":
        raise invalid("status", "Status: closed prevents ticket update")
    if given.get("safe_update") and given.get("updated_stamp") != iso(face.desk.updated(row, now)):
        raise Refused(409, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data.")
    comment = an_object(given.get("comment", {}))
    if comment is None:
        raise invalid("comment", "Comment: is an object")
    body = comment.get("body", comment.get("html_body", ""))
    if not isinstance(body, str) or (given.get("comment") is not None and not body.strip()):
        raise invalid("comment", "Comment: cannot be blank")
    return status, body, comment.get("public", True) is not False


def _update(face: HelpDesk, call: Call) -> Answer:
    row, given = found(face, call), document(call, "ticket")
    status, body, public = _checked(face, row, given)
    number = face.desk.number(row)
    before = face.desk.status(row, face.view.now)
    kept = face.desk.kept.setdefault(number, Kept())
    if body and public:
        _act(face, Verb.REPLY, row)
    if body:
        kept.notes.append(Note(face.view.now, body, public))
    row = _again(face, number)
    if status == "solved" and face.desk.solved(row, face.view.now) is None:
        _act(face, Verb.SOLVE, row)
    elif status and before != "solved":
        kept.status = status if status in {"pending", "hold", "open"} else ""
    if "tags" in given:
        kept.tags = _texts(given, "tags")
    kept.tags += [tag for tag in _texts(given, "additional_tags") if tag not in kept.tags]
    kept.priority = given.get("priority", kept.priority)
    kept.moment = face.view.now
    row = _again(face, number)
    ticket = face.desk.ticket(row, face.view.now, call.base)
    events: list[dict[str, Any]] = []
    if body:
        events.append({"id": number * 64, "type": "Comment", "author_id": AGENT, "body": body, "public": public})
    if ticket["status"] != before:
        events.append({"id": number * 64 + 1, "type": "Change", "field_name": "status", "value": ticket["status"],
                       "previous_value": before})  # fmt: skip
    audit = {
        "id": number * 64 + len(kept.notes), "ticket_id": number, "created_at": iso(face.view.now), "author_id": AGENT,
        "events": events,
    }  # fmt: skip
    return answered(200, {"ticket": ticket, "audit": audit})


def _again(face: HelpDesk, number: int) -> int:
    """The row after an act: a day that is lived again may have moved it."""
    row = face.desk.named(str(number))
    if row is None:
        raise Refused(409, "DatabaseConflict", "The ticket is being worked on. Try again.")
    return row


def _act(face: HelpDesk, verb: Verb, row: int) -> None:
    if face.business.act(verb, row) is None:
        raise Refused(409, "DatabaseConflict", "The ticket is being worked on. Try again.")
