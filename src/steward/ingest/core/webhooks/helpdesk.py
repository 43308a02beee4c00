"""Help desks: Zendesk, which signs, and Gorgias, which documents no signature. What was written is personal."""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Part, envelope, guarded, optional_text, person
from steward.kernel.canonical import JsonObject


@guarded
def map_zendesk(document: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """A Zendesk event webhook: `zen:event-type:ticket.created`, and `ticket.status_changed` to solved."""
    event = Part(document)
    kind = event.at("type").text().removeprefix("zen:event-type:")
    ticket, at = event.at("detail"), event.at("time").time()
    number = ticket.at("id").name()
    source = f"zendesk/{event.at('account_id').name()}"
    if kind == "ticket.created":
        text = optional_text(ticket.maybe("description"), 8000)
        requester = ticket.maybe("requester_id")
        data: JsonObject = {
            "ticket_id": number,
            "messages": [{"author": "customer", "text": text}] if text else [],
            "topic": optional_text(ticket.maybe("subject"), 300),
            "customer_id": requester.name() if requester else None,
        }
        return (envelope("TicketOpened", f"ticket_opened:{number}", source, f"ticket/{number}", at, data, version=2),)
    if kind == "ticket.status_changed":
        if event.at("event").at("current").text().lower() not in {"solved", "closed"}:
            return Ignored("the ticket is not solved")
        return (_resolved(number, source, event.at("id").name(), at_=event.at("time")),)
    return Ignored(f"{kind[:80]} is no event of ours")


def _resolved(number: str, source: str, change: str, at_: Part) -> Envelope:
    """A ticket may be solved, opened again and solved again: each change is a fact of its own."""
    data: JsonObject = {"ticket_id": number}
    return envelope(
        "TicketResolved", f"ticket_resolved:{number}:{change}", source, f"ticket/{number}", at_.time(), data
    )


@guarded
def map_gorgias(document: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """A Gorgias ticket as its API returns it; the delivery only says that there is something to fetch."""
    part = Part(document)
    ticket = part.maybe("ticket") or part
    number = ticket.at("id").name()
    customer = ticket.maybe("customer")
    messages = [message for message in ticket.at("messages").items() if optional_text(message.maybe("body_text"))]
    data: JsonObject = {
        "ticket_id": number,
        "messages": [
            {
                "author": "agent" if message.at("from_agent").value is True else "customer",
                "text": message.at("body_text").text(8000),
            }
            for message in messages[:1]
        ],
        "channel": optional_text(ticket.maybe("channel")),
        "topic": optional_text(ticket.maybe("subject"), 300),
        "customer_id": customer.at("id").name() if customer else None,
        "customer": person(optional_text(customer.maybe("name")), optional_text(customer.maybe("email")))
        if customer
        else None,
    }
    at = ticket.at("created_datetime").time()
    opened = envelope("TicketOpened", f"ticket_opened:{number}", "gorgias", f"ticket/{number}", at, data, version=2)
    closed = ticket.maybe("closed_datetime")
    if closed is None:
        return (opened,)
    return (opened, _resolved(number, "gorgias", closed.text(40), at_=closed))
