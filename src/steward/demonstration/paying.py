"""Creators and what they are owed: let in by two founders, prepared, read, agreed to, sent, seen to land.

Whatever was begun is found again by asking what waits, so that it may be interrupted anywhere and called again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steward.demonstration.callers import Caller, Refused
from steward.demonstration.world import World
from steward.kernel.canonical import JsonObject

if TYPE_CHECKING:
    from steward.bootstrap import App

OWED = "liabilities:payable:creators"
SYSTEM = "mercury"
_CALLED_BY = "ben"
_LETS_IN = "payee.change"
_DECIDED = ("not_waiting", "decided_before")


@dataclass
class Paymaster:
    """`operator` prepares and asks for addresses, the founders agree under their own keys; `read` lets the minute pass
    that reading takes, `settle` waits until nothing is under way.
    """

    app: App
    world: World
    operator: Caller
    founders: tuple[Caller, Caller]
    read: Callable[[], None]
    settle: Callable[[], None]

    def pay(self) -> JsonObject:
        """Let in whoever is owed something and has no address, pay everybody who can be paid: what it came to."""
        if not self.app.tools.check(SYSTEM).passed:
            raise Refused(f"{SYSTEM} does not answer its self-test", where=SYSTEM)
        self._let_in([one["creator_id"] for one in self._prepare()["waiting"] if one["code"] == "no_payee"])
        self._prepare()
        waiting = self._open()
        for one in waiting:
            self.founders[0].get(f"/v1/payouts/{one['payout_id']}")
        if waiting:
            self.read()
        for one in waiting:
            self._agree(self.founders[0], f"/v1/payouts/{one['payout_id']}:approve", {"reason": "as prepared"})
        self.settle()
        return self.told()

    def told(self) -> JsonObject:
        """What the books owe, in minor units, and payouts with their sums by state."""
        rows = self.app.books.books().accounts
        payouts = self.app.payouts.listed(limit=1000)
        states = sorted({one["state"] for one in payouts})
        return {
            "owed_minor": -sum(row["amount_minor"] for row in rows if row["code"] == OWED),
            "payouts": {
                state: {
                    "count": sum(one["state"] == state for one in payouts),
                    "amount_minor": sum(one["amount_minor"] for one in payouts if one["state"] == state),
                }
                for state in states
            },
        }

    def _prepare(self) -> JsonObject:
        return self.operator.post("/v1/payouts")

    def _open(self) -> list[JsonObject]:
        found = self.operator.get("/v1/payouts", state="open", limit=1000)["items"]
        return [one for one in found if one["action_state"] == "awaiting_approval"]

    def _let_in(self, creators: list[str]) -> None:
        """Ask for the address of each, unless it is asked for already; both founders read and agree."""
        asked = {one["params"]["party"] for one in self._changes()}
        saved = {one["name"]: one["id"] for one in self.world.recipients()}
        for creator in creators:
            if creator not in asked:
                wish = {"address": f"{SYSTEM}:{saved[creator]}", "name": creator, "called_by": _CALLED_BY}
                self.operator.post(f"/v1/payees/{creator}", wish)
        waiting = self._changes()
        for founder in self.founders:
            for one in waiting:
                founder.get(f"/v1/approvals/{one['id']}")
            if waiting:
                self.read()
            for one in waiting:
                self._agree(founder, f"/v1/approvals/{one['id']}:approve", {"reason": f"{_CALLED_BY} rang"})
        if waiting:
            self.settle()

    def _changes(self) -> list[JsonObject]:
        items = self.operator.get("/v1/approvals", limit=200)["items"]
        return [one for one in items if one["kind"] == _LETS_IN]

    def _agree(self, founder: Caller, path: str, wish: JsonObject) -> None:
        """A word that was given before a crash is told so, and left."""
        answer = founder.send("POST", path, json=wish)
        if not answer.is_success and answer.json().get("code") not in _DECIDED:
            raise Refused(f"HTTP {answer.status_code}: {answer.text[:300]}", where=path)
