"""Tables of the world model: forecast and forecast_settlement."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.contracts.forecast import Forecast
from steward.infra import sql

Row = dict[str, Any]


class ForecastStore:
    """SQL of forecasts; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.world_model")

    def add(self, connection: Connection[Row], action_id: str, forecasts: list[Forecast]) -> None:
        for forecast in forecasts:
            connection.execute(
                self._sql["insert_forecast"],
                {
                    **forecast.model_dump(exclude={"id", "basis"}),
                    "forecast_id": UUID(forecast.id[4:]),
                    "action_id": UUID(action_id[4:]),
                    "basis": Jsonb(forecast.basis),
                },
            )

    def of_action(self, connection: Connection[Row], action_id: str) -> list[Row]:
        return connection.execute(self._sql["of_action"], {"action_id": UUID(action_id[4:])}).fetchall()

    def unsettled(self, connection: Connection[Row], until: datetime, limit: int) -> list[Row]:
        return connection.execute(self._sql["unsettled"], {"until": until, "limit": limit}).fetchall()

    def settle(self, connection: Connection[Row], forecast_id: UUID, actual: int, baseline: int | None) -> None:
        connection.execute(self._sql["settle"], {"forecast_id": forecast_id, "actual": actual, "baseline": baseline})

    def scores(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["scores"]).fetchall()
