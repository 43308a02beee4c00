"""The world model: what an option would do, with an interval, and how well earlier forecasts did.

Promises      a forecast as of T is fitted on what happened before T; every forecast is stored before its outcome is
              known and is settled against it; intervals are rounded outwards to integers.
Never         decides; fits on what it will be scored on.
Read next     core/demand.py, then service.py.
"""

from steward.world_model.core.demand import DemandModel, ProductDemand
from steward.world_model.service import FACTS, NOT_MODELLED, Scored, WorldModel

__all__ = ["FACTS", "NOT_MODELLED", "DemandModel", "ProductDemand", "Scored", "WorldModel"]
