"""The world model's services: forecasts of options, and intervals of the past."""

from steward.world_model.service.forecasts import FACTS, Scored, WorldModel
from steward.world_model.service.past import NOT_MODELLED

__all__ = ["FACTS", "NOT_MODELLED", "Scored", "WorldModel"]
