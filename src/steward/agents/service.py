"""Run each agent on what it watches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

from steward.agents.core.prices import PriceCase, best_moves, propose_price
from steward.agents.core.refunds import propose_refund
from steward.catalog import Catalog
from steward.contracts.action import ActionProposal
from steward.state import State
from steward.world_model import WorldModel

_REVIEW_WEEKDAY, _REVIEW_HOUR = 0, 7


class Agents:
    """The agents built today: returns-refunds and offer-architect."""

    def __init__(self, catalog: Catalog, state: State, world_model: WorldModel) -> None:
        self._catalog = catalog
        self._state = state
        self._world_model = world_model

    def proposals(self, since: datetime, until: datetime) -> Iterator[ActionProposal]:
        """What every agent proposes in an hour of business time, in time order."""
        if since.weekday() == _REVIEW_WEEKDAY and since.hour == _REVIEW_HOUR:
            yield from self.review_prices(since)
        for request in self._state.refunds_between(since, until):
            yield propose_refund(request, request["occurred_at"])

    def review_prices(self, at: datetime) -> Iterator[ActionProposal]:
        """Products whose demand, fitted on earlier weeks only, suggests a move."""
        catalog = self._catalog
        model = self._world_model.demand(at)
        cases = [
            PriceCase(
                sku=product.sku,
                price_minor=product.price_minor,
                cost_minor=self._world_model.unit_cost(product.price_minor),
                units_week=product.median_units(product.price_minor),
                elasticity=product.elasticity,
            )
            for product in model.products.values()
        ]
        moves = best_moves(
            cases,
            Fraction(catalog.limit("price_move")),
            catalog.limit("price_gain_minor"),
            catalog.limit("price_proposals_per_review"),
        )
        for move in moves:
            yield propose_price(move, catalog.history.currency, at)
