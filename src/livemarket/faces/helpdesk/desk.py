"""Tickets as of a moment: what the world wrote, and what callers did to them since."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from livemarket import catalog
from livemarket.core.tickets import INTENTS, usual_second
from livemarket.faces.business import DAY, Business, iso, unix
from livemarket.faces.numbers import packed, unpacked
from livemarket.faces.view import View
from livemarket.files import names

CLOSED_AFTER = 4 * DAY  # a solved ticket takes no more updates then
AGENT = 1
_USERS, _ACCOUNTS = 10_000_000, 20_000_000  # customers by number, and opponents' accounts
SUBJECTS = {
    "where_is_it": "Where is my order", "damaged": "Problem with my order", "return_help": "Return",
    "product": "Question about a product", "change": "Change to my order",
}  # fmt: skip


@dataclass
class Note:
    """What a caller wrote."""

    moment: int
    body: str
    public: bool


@dataclass
class Kept:
    """What callers set on one ticket; the world does not know of it. `status` is pending, hold or nothing."""

    notes: list[Note] = field(default_factory=list[Note])
    status: str = ""
    priority: str | None = None
    tags: list[str] = field(default_factory=list[str])
    moment: int = -1


class Desk:
    """Reads tickets; rows are of today's life, so they are looked up anew for each call."""

    def __init__(self, business: Business) -> None:
        self.view = View(business)
        self.kept: dict[int, Kept] = {}

    def rows(self) -> list[int]:
        """Tickets that were written by now, oldest first."""
        table = self.view.state.tickets
        moment = table["day"] * DAY + table["second"]
        rows = np.flatnonzero(moment <= self.view.now)
        return rows[np.lexsort((table["order"][rows], moment[rows]))].tolist()

    def number(self, row: int) -> int:
        order = self.view.cell("tickets", "order", row)
        return packed(self.view.order("day", order), self.view.order("key", order))

    def named(self, text: str) -> int | None:
        """The row of a ticket's number."""
        if not text.isdigit() or len(text) > 18:
            return None
        order = self.view.keyed_order(*unpacked(int(text)))
        return None if order is None else self.of_order(order)

    def of_order(self, order: int) -> int | None:
        """The ticket about an order, if it was written by now."""
        found = np.flatnonzero(self.view.state.tickets["order"] == order)
        rows = [row for row in found.tolist() if self.opened(row) <= self.view.now]
        return rows[0] if rows else None

    def opened(self, row: int) -> int:
        return self.view.moment(self.view.state.tickets, row)

    def solved(self, row: int, at: int) -> int | None:
        """When it was answered for good, if it was by then."""
        day = self.view.cell("tickets", "solved_day", row)
        second = self.view.state.solved_at.get(row)
        if second is None:
            second = int(usual_second(self.view.world, np.array([row]))[0])
        moment = day * DAY + second
        return moment if moment <= at else None

    def status(self, row: int, at: int) -> str:
        done = self.solved(row, at)
        if done is not None:
            return "solved" if at - done < CLOSED_AFTER else "closed"
        kept = self.kept.get(self.number(row))
        if kept and kept.moment <= at and kept.status:
            return kept.status
        return "open" if kept and any(note.moment <= at for note in kept.notes) else "new"

    def updated(self, row: int, at: int) -> int:
        kept = self.kept.get(self.number(row))
        times = [self.opened(row), self.solved(row, at)]
        if kept:
            times += [note.moment for note in kept.notes] + [kept.moment]
        return max(moment for moment in times if moment is not None and moment <= at)

    def text(self, row: int) -> str:
        """The customer's words, as in the run's events."""
        order = self.view.cell("tickets", "order", row)
        texts: dict[str, list[str]] = catalog.tickets()
        template = texts[INTENTS[self.view.cell("tickets", "intent", row)]][self.view.cell("tickets", "mood", row)]
        product = names.title(self.view.world, self.view.order("sku", order))
        return template.format(order=self.view.order_name(order), product=product)

    def customer(self, row: int) -> int:
        return self.view.order("customer", self.view.cell("tickets", "order", row))

    def rating(self, row: int, at: int) -> str:
        """How a customer rates what was done: by the mood in which the answer left them."""
        if self.solved(row, at) is None:
            return "unoffered"
        mood = self.view.state.calmed.get(row, self.view.cell("tickets", "mood", row))
        return ("good", "offered", "bad")[mood]

    def ticket(self, row: int, at: int, base: str) -> dict[str, Any]:
        number, order = self.number(row), self.view.order_name(self.view.cell("tickets", "order", row))
        kept = self.kept.get(number, Kept())
        status = self.status(row, at)
        intent = INTENTS[self.view.cell("tickets", "intent", row)]
        subject = f"{SUBJECTS[intent]} {order}"
        return {
            "url": f"{base}/api/v2/tickets/{number}.json", "id": number, "external_id": f"tkt-{order}",
            "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": None}},
            "created_at": iso(self.opened(row)), "updated_at": iso(self.updated(row, at)),
            "generated_timestamp": unix(self.updated(row, at)), "type": "question", "subject": subject,
            "raw_subject": subject, "description": self.text(row), "priority": kept.priority, "status": status,
            "recipient": None, "requester_id": user_number(self.customer(row)),
            "submitter_id": user_number(self.customer(row)), "assignee_id": None if status == "new" else AGENT,
            "organization_id": None, "group_id": None, "collaborator_ids": [], "follower_ids": [],
            "email_cc_ids": [], "problem_id": None, "has_incidents": False, "is_public": True, "due_at": None,
            "tags": list(kept.tags), "custom_fields": [], "fields": [], "followup_ids": [],
            "satisfaction_rating": {"score": self.rating(row, at)}, "brand_id": 1, "allow_channelback": False,
            "allow_attachments": True, "from_messaging_channel": False,
        }  # fmt: skip

    def comments(self, row: int, at: int) -> list[dict[str, Any]]:
        """The message, what callers wrote, and the answer of the desk's own people if they gave one."""
        number = self.number(row)
        written = [(self.opened(row), user_number(self.customer(row)), self.text(row), True)]
        notes = [note for note in self.kept.get(number, Kept()).notes if note.moment <= at]
        written += [(note.moment, AGENT, note.body, note.public) for note in notes]
        done = self.solved(row, at)
        if done is not None and row not in self.view.state.solved_at:
            written.append((done, AGENT, "Answered by the shop's own people (simulated).", True))
        return [
            {
                "id": number * 64 + n, "type": "Comment", "author_id": author, "body": body,
                "html_body": f"<p>{escape(body)}</p>", "plain_body": body, "public": public,
                "attachments": [], "audit_id": number * 64 + n,
                "via": {"channel": "api" if author == AGENT else "email"}, "created_at": iso(moment), "metadata": {},
            }
            for n, (moment, author, body, public) in enumerate(sorted(written))
        ]  # fmt: skip

    def writers(self) -> dict[int, int]:
        """Customers who have written, and when first."""
        first: dict[int, int] = {}
        for row in self.rows():
            first.setdefault(self.customer(row), self.opened(row))
        return first


def user_number(customer: int) -> int:
    return _USERS + customer if customer >= 0 else _ACCOUNTS - customer


def customer_of(number: int) -> int:
    return number - _USERS if number < _ACCOUNTS else _ACCOUNTS - number


def user(customer: int, since: int, base: str) -> dict[str, Any]:
    """An end user. People of this world have no names."""
    number, name = user_number(customer), names.customer(customer)
    return {
        "id": number, "url": f"{base}/api/v2/users/{number}.json", "name": name, "email": f"{name}@simulated.example",
        "external_id": name, "role": "end-user", "active": True, "verified": True, "suspended": False, "tags": [],
        "created_at": iso(since), "updated_at": iso(since), "locale": "en-US", "time_zone": "UTC", "phone": None,
    }  # fmt: skip
