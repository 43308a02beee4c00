"""Forecast each option before it is chosen, and settle forecasts when their horizon has passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal
from steward.contracts.base import Json
from steward.contracts.event import Envelope
from steward.contracts.forecast import Forecast
from steward.contracts.snapshot import Snapshot
from steward.events import EventLog
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.ids import derived_id
from steward.kernel.instants import DAY, WEEK, floor_day, unix_ms
from steward.kernel.money import round_half_even
from steward.state import State
from steward.world_model.core.demand import DemandModel, WeekOf, fit
from steward.world_model.core.empirical import order_interval
from steward.world_model.service.past import LEVEL, NOT_MODELLED, PAST, past_fact
from steward.world_model.store import ForecastStore, Row

_FIT_WEEKS = 9
_DAYS = 28
_SETTLE_BATCH = 500

FACTS = frozenset({"demand", "cost.unit", "price.effective"}) | NOT_MODELLED | PAST
"""What `WorldModel.fact` answers, if only with nothing."""


@dataclass(frozen=True, slots=True)
class Scored:
    """How forecasts of one quantity did: total absolute error beside that of "no change", and coverage."""

    quantity: str
    settled: int
    error: int
    baseline_error: int | None
    actual: int
    covered: int
    level: str

    def to_json(self) -> JsonObject:
        return {
            "quantity": self.quantity,
            "settled": self.settled,
            "error": self.error,
            "no_change_error": self.baseline_error,
            "actual": self.actual,
            "covered": self.covered,
            "level": self.level,
        }


class WorldModel:
    """Forecasts, one model per kind of action."""

    def __init__(self, database: Database, events: EventLog, state: State, catalog: Catalog) -> None:
        self._db = database
        self._events = events
        self._state = state
        self._cost_ratio = Fraction(catalog.limit("assumed_cost_ratio"))
        self._history = catalog.history
        self._currency = catalog.history.currency
        self._store = ForecastStore()
        self._fitted: tuple[datetime, DemandModel] | None = None

    def demand(self, at: datetime) -> DemandModel:
        """The demand model as of a day: fitted on the nine whole weeks before it, kept until another is asked for."""
        day = floor_day(at)
        if self._fitted is None or self._fitted[0] != day:
            weeks = [
                WeekOf(w.sku, w.week, w.units, w.price_minor)
                for w in self._state.weekly_sales(day, _FIT_WEEKS)
                if self._is_priced(w.sku)
            ]
            usual = {sku: spread.mid_minor for sku, spread in self._state.price_spreads(day).items()}
            self._fitted = (day, fit(weeks, usual))
        return self._fitted[1]

    def _is_priced(self, sku: str) -> bool:
        """Whether a code names goods, which have a list price."""
        return sku not in self._history.unpriced_codes and not sku.startswith(self._history.unpriced_prefixes)

    def unit_cost(self, usual_price_minor: int) -> int:
        """The assumed cost of a unit in minor units: a share of its usual price, for want of costs in the data."""
        return round_half_even(self._cost_ratio * usual_price_minor)

    def forecast(self, proposal: ActionProposal, options: Sequence[str], snapshot: Snapshot) -> list[Forecast]:
        """One forecast an option; none for a product that is not modelled, or a kind without a model."""
        forecasts: list[Forecast] = []
        if proposal.kind == "refund.issue":
            forecasts = self._day_refunds(proposal, snapshot)
        elif proposal.kind == "price.set":
            forecasts = self._week_units(proposal)
        return [forecast for forecast in forecasts if forecast.option in options]

    def fact(self, name: str, params: JsonObject, at: datetime, forecasts: list[Forecast]) -> Json:
        """Facts that rest on a forecast, a spread of the past or an assumption; None where nothing models them."""
        if name == "demand":
            proposed = next((f for f in forecasts if f.option == "propose"), None)
            return None if proposed is None else {"low": proposed.low, "high": proposed.high}
        if name in NOT_MODELLED:
            return None
        if name in PAST:
            return past_fact(self._state, name, params, at, self._currency)
        spread = self._state.price_spreads(at, params["sku"]).get(params["sku"])
        if spread is None:
            return None
        if name == "cost.unit":
            return self._money(self.unit_cost(spread.mid_minor))
        if name == "price.effective":
            price = params["price"]["amount_minor"]
            low, high = (Fraction(price * end, spread.mid_minor) for end in (spread.low_minor, spread.high_minor))
            return {
                "low": self._money(low.numerator // low.denominator),
                "high": self._money(-(-high.numerator // high.denominator)),
            }
        raise KeyError(f"the world model offers no fact {name!r}")

    def _money(self, amount_minor: int) -> JsonObject:
        return {"amount_minor": amount_minor, "currency": self._currency}

    def _day_refunds(self, proposal: ActionProposal, snapshot: Snapshot) -> list[Forecast]:
        """The day's refunds at midnight: what the snapshot saw, plus what past days brought after this hour."""
        rest = order_interval(self._state.rest_of_day_refunds(snapshot.as_of, _DAYS), LEVEL)
        today = snapshot.metrics["refunds_today_minor"]
        amount = proposal.params["amount"]["amount_minor"]
        end = floor_day(proposal.at) + DAY
        basis = {
            "method": "order statistics of the same hours of earlier days",
            "days": _DAYS,
            "level": str(LEVEL),
        }
        return [
            self._build(proposal, option, "refunds_day_minor", values, end, {**basis, "settles": option == "propose"})
            for option, values in (
                # This refund is part of the rest of the day, so the rest is at least its amount.
                ("propose", [today + max(amount, value) for value in rest]),
                ("nothing", [today + value for value in rest]),
            )
        ]

    def _week_units(self, proposal: ActionProposal) -> list[Forecast]:
        """Units of the product in the coming week, at the proposed price and at the present one."""
        model, sku = self.demand(proposal.at), proposal.params["sku"]
        product = model.products.get(sku)
        if product is None:
            return []
        end = floor_day(proposal.at) + WEEK
        forecasts: list[Forecast] = []
        for option, price in (
            ("propose", proposal.params["price"]["amount_minor"]),
            ("nothing", product.price_minor),
        ):
            interval = model.interval(sku, price, LEVEL) if price > 0 else None
            if interval is not None:
                basis = {
                    "method": "log-log demand, elasticity shrunk towards the shop's",
                    "elasticity_milli": round(1000 * product.elasticity),
                    "weeks": product.weeks,
                    "price_minor": price,
                    # History kept its own prices, so only the forecast without the move can be scored.
                    "settles": option == "nothing",
                    "sku": sku,
                    "from": floor_day(proposal.at).isoformat(),
                }
                forecasts.append(self._build(proposal, option, "units_week", list(interval), end, basis))
        return forecasts

    def _build(
        self,
        proposal: ActionProposal,
        option: str,
        quantity: str,
        values: list[int],
        end: datetime,
        basis: JsonObject,
    ) -> Forecast:
        return Forecast(
            id=derived_id("fct", unix_ms(proposal.at), f"{proposal.key}:{option}"),
            option=option,
            quantity=quantity,
            low=values[0],
            mid=values[1],
            high=values[2],
            level=str(LEVEL),
            horizon_end=end,
            basis=basis,
        )

    def record(self, action_id: str, forecasts: list[Forecast]) -> None:
        """Store forecasts, in the caller's transaction."""
        with self._db.transaction() as connection:
            self._store.add(connection, action_id, forecasts)

    def settle(self, until: datetime) -> int:
        """Settle forecasts whose horizon ended by `until`; each batch is one transaction."""
        total = 0
        while True:
            with self._db.transaction() as connection:
                due = self._store.unsettled(connection, until, _SETTLE_BATCH)
                facts = [self._settle_one(row) for row in due]
                for row, data in zip(due, facts, strict=True):
                    self._store.settle(connection, row["forecast_id"], data["actual"], data["baseline"])
                self._events.put([_settled_event(row, data) for row, data in zip(due, facts, strict=True)])
            if not due:
                return total
            total += len(due)

    def _settle_one(self, row: Row) -> JsonObject:
        actual, baseline = self._outcome(row)
        return {
            "forecast_id": f"fct_{row['forecast_id'].hex}",
            "action_id": f"act_{row['action_id'].hex}",
            "quantity": row["quantity"],
            "low": row["low"],
            "mid": row["mid"],
            "high": row["high"],
            "actual": actual,
            "baseline": baseline,
        }

    def _outcome(self, row: Row) -> tuple[int, int]:
        """What happened, and what "no change" would have said: yesterday's refunds, last week's units."""
        end: datetime = row["horizon_end"]
        if row["quantity"] == "refunds_day_minor":
            return self._state.refunded_on(end - DAY), self._state.refunded_on(end - 2 * DAY)
        sku, start = row["basis"]["sku"], end - WEEK
        return self._state.sku_units(sku, start, end), self._state.sku_units(sku, start - WEEK, start)

    def of_action(self, action_id: str) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.of_action(connection, action_id)

    def scores(self) -> list[Scored]:
        with self._db.transaction() as connection:
            return [Scored(**row) for row in self._store.scores(connection)]


def _settled_event(row: Row, data: JsonObject) -> Envelope:
    return Envelope(
        id=f"settled:{data['forecast_id']}",
        source="steward/world_model",
        type="ForecastSettled",
        subject=f"action/{data['action_id']}",
        time=row["horizon_end"],
        correlationid=data["action_id"],
        data=data,
    )
