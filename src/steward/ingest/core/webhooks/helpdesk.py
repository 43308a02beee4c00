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
        requester, via = ticket.maybe("requester_id"), ticket.maybe("via")
        data: JsonObject = {
            "ticket_id": number,
            "messages": _written(ticket.maybe("subject"), ticket.maybe("description")),
            "channel": optional_text(via.maybe("channel")) if via else None,
            "customer_id": requester.name() if requester else None,
        }
        return (envelope("TicketOpened", f"ticket_opened:{number}", source, f"ticket/{number}", at, data, version=2),)
    if kind == "ticket.status_changed":
        change = event.at("event")
        now, before = (change.at(name).text(40).lower() for name in ("current", "previous"))
        if now not in {"solved", "closed"} or before in {"solved", "closed"}:
            return Ignored(f"from {before} to {now} is no solution")
        return (_resolved(number, source, event.at("id").name(), at_=event.at("time")),)
    return Ignored(f"{kind[:80]} is no event of ours")


def _written(subject: Part | None, body: Part | None) -> list[JsonObject]:
    """The customer's words, the subject among them: it is as personal as the rest."""
    texts = [optional_text(subject, 300), optional_text(body, 40_000)]
    told = "\n\n".join(text for text in texts if text)
    return [{"author": "customer", "text": told}] if told else []


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
    # Only the first message: the others come later, and the ticket that was opened stays the same fact.
    first = next(iter(ticket.at("messages").items()), Part(None))
    is_ours = first.maybe("from_agent") is not None and first.at("from_agent").value is True
    data: JsonObject = {
        "ticket_id": number,
        "messages": [
            {**told, "author": "agent" if is_ours else "customer"}
            for told in _written(ticket.maybe("subject"), first.maybe("body_text"))
        ],
        "channel": optional_text(ticket.maybe("channel")),
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
