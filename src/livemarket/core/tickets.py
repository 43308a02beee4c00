"""What customers write and how long an answer takes."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from livemarket.core import exact, keyed
from livemarket.core.acts import Verb
from livemarket.core.arrays import Floats, Ints
from livemarket.core.keyed import Purpose
from livemarket.core.opponents import Intent
from livemarket.core.state import Word
from livemarket.core.world import World


class TicketIntent(IntEnum):
    """What a message is about; names are those of tickets.yaml."""

    WHERE_IS_IT = 0
    DAMAGED = 1
    RETURN_HELP = 2
    PRODUCT = 3
    CHANGE = 4


INTENTS = ("where_is_it", "damaged", "return_help", "product", "change")
MOODS = ("calm", "worried", "angry")


def after_delivery(world: World, rows: Ints, late: Floats, defect: Floats) -> None:
    """Tickets about orders: more where something went wrong. Where a parcel is, is asked on the day it comes at last:
    the model keeps no day between.
    """
    orders = world.state.orders
    base = np.full(len(rows), world.log("ticket_rate"))
    rate = exact.exp(world.graph.total("ticket_rate", base, late=late, defect=defect))
    u = world.word(Word.TICKET, rows)
    writes = u < np.minimum(rate, 0.9)
    chosen = rows[writes]
    kind = world.word(Word.TICKET_KIND, chosen)
    returning = orders.at("return_kind", chosen) > 0
    intent = np.where(kind < 0.50, int(TicketIntent.PRODUCT), int(TicketIntent.CHANGE))
    intent = np.where(kind < 0.12, int(TicketIntent.WHERE_IS_IT), intent)
    intent = np.where(returning & (kind < 0.7), int(TicketIntent.RETURN_HELP), intent)
    intent = np.where(orders.at("defect", chosen) == 1, int(TicketIntent.DAMAGED), intent)
    share = world.number("wismo_late")
    intent = np.where((late[writes] > 0) & (kind < 0.4 + share), int(TicketIntent.WHERE_IS_IT), intent)
    wait = np.where(intent == int(TicketIntent.WHERE_IS_IT), 0, np.floor(6 * kind)).astype(np.int64)
    remember(world, chosen, intent, world.day + wait)


def remember(world: World, rows: Ints, intent: Ints, day: Ints) -> None:
    """Write the ticket down now; it becomes a fact on its day."""
    mood_of = world.word(Word.MOOD, rows)
    trouble = np.isin(intent, np.array([0, 1]))
    mood = np.where(mood_of < np.where(trouble, 0.35, 0.6), 0, np.where(mood_of < np.where(trouble, 0.75, 0.92), 1, 2))
    second = 25200 + np.floor(54000 * world.word(Word.TICKET_KIND, rows)).astype(np.int64)
    hours = world.number("ticket_hours") * exact.exp(0.8 * exact.normal(world.word(Word.OPERATOR, rows)))
    solved = second + np.floor(hours * 3600).astype(np.int64)
    tickets = world.state.tickets.append(
        len(rows), order=rows, intent=intent, mood=mood, day=day, second=second, solved_day=day + solved // 86400,
        resolution=np.where(intent == 0, 0, np.where(intent == 1, 1, 0)),
    )  # fmt: skip
    world.state.calendar.add("ticket_open", day, tickets)
    world.state.calendar.add("ticket_solved", day + solved // 86400, tickets)


def desk(world: World) -> None:
    """Tickets that are written today, and those that are answered."""
    state = world.state
    opened = state.calendar.take("ticket_open", world.day)
    world.facts.add("ticket", state.tickets.at("second", opened), ticket=opened)
    world.count("tickets", len(opened))
    solved = state.calendar.take("ticket_solved", world.day)
    second = usual_second(world, solved)
    gone = world.due(Verb.SOLVE, solved, second)
    for act in gone:
        solve(world, act.entity, act.second)
    waits = ~np.isin(solved, [act.entity for act in gone])
    solved, second = solved[waits], second[waits]
    world.facts.add("ticket_solved", second, ticket=solved)
    world.count("tickets_solved", len(solved))


def usual_second(world: World, tickets: Ints) -> Ints:
    """When on their day the desk's own people close tickets."""
    table = world.state.tickets
    same = table.at("day", tickets) == table.at("solved_day", tickets)
    return np.where(same, np.minimum(table.at("second", tickets) + 3600, 86399), 40000)


def solve(world: World, ticket: int, second: int) -> None:
    """Somebody answers a ticket by hand; it is not answered a second time."""
    state = world.state
    row = np.array([ticket])
    state.calendar.drop("ticket_solved", int(state.tickets.at("solved_day", row)[0]), ticket)
    state.tickets.put("solved_day", row, world.day)
    state.solved_at[ticket] = second
    world.facts.add("ticket_solved", np.array([second]), ticket=row)
    world.count("tickets_solved", 1)


def reply(world: World, ticket: int, second: int) -> None:
    """Somebody writes to the customer. Within some hours of the message that lightens the mood, and may keep away a
    case that the buyer would have opened tomorrow or later.
    """
    state = world.state
    row = np.array([ticket])
    opened = int(state.tickets.at("day", row)[0]) * 86400 + int(state.tickets.at("second", row)[0])
    quick = world.day * 86400 + second - opened <= 3600 * int(world.number("answer_hours"))
    first = ticket not in state.calmed
    mood = int(state.tickets.at("mood", row)[0])
    if first:
        state.calmed[ticket] = max(mood - 1, 0) if quick else mood
    world.facts.add("ticket_reply", np.array([second]), ticket=row)
    if not (first and quick):
        return
    order = int(state.tickets.at("order", row)[0])
    case = state.calendar.where("dispute", order)
    honest = int(state.orders["intent"][order]) == int(Intent.HONEST)
    u = keyed.uniforms(world.seed, state.orders.at("key", np.array([order])), world.day, Purpose.TICKET, 1)[0, 0]
    if case is not None and honest and u < world.number("answer_prevents"):
        state.calendar.drop("dispute", case, order)
        world.count("disputes_prevented", 1)
