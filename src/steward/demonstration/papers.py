"""Statements of processors and of the bank, from where these offer them, into the system; then both sides compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from steward.demonstration.callers import Caller
from steward.demonstration.plan import PAYPAL_LATEST, STRIPE_LATEST
from steward.demonstration.world import World
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import DAY, floor_day, parse_instant


@dataclass
class Papers:
    """`taken` are names of what was brought in; `keep` writes them down."""

    steward: Caller
    world: World
    begin: datetime
    taken: list[str]
    keep: Callable[[], None]

    def of_processors(self, now: datetime) -> None:
        """Every payout that was sent by now and holds nothing from before the books began."""
        day = self.begin + STRIPE_LATEST
        while day < floor_day(now) + DAY:
            name = f"stripe-{day:%Y-%m-%d}.csv"
            if name not in self.taken:
                self._bring("stripe", name, self.world.stripe_report(day, day + DAY))
            day += DAY
        for one in self.world.papers("paypal"):
            name = f"{one['payout']}.csv"
            if name not in self.taken and parse_instant(one["sent_at"]) >= self.begin + PAYPAL_LATEST:
                self._bring("paypal", name, self.world.paper(one["payout"]))

    def of_bank(self) -> None:
        for name, text in self.world.bank_statements().items():
            if f"{name}.xml" not in self.taken:
                self._bring("camt", f"{name}.xml", text)

    def _bring(self, provider: str, name: str, text: str) -> None:
        if text.count("\n") > 1:  # a report of a day without payouts has its heading alone
            self.steward.send(
                "POST", "/v1/settlements", params={"provider": provider, "name": name}, content=text.encode()
            ).raise_for_status()
        self.taken.append(name)
        self.keep()

    def reconcile(self) -> list[JsonObject]:
        """A run over each side; what is left over."""
        for side in ("statement", "bank"):
            self.steward.send("POST", "/v1/reconciliations", params={"side": side}).raise_for_status()
        return self.breaks()

    def breaks(self) -> list[JsonObject]:
        found: list[JsonObject] = []
        after: int | None = 0
        while after is not None:
            page = self.steward.get("/v1/breaks", limit=1000, after=after)
            found, after = found + page["items"], page["next"]
        return found
