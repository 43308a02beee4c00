"""The business as it was at any instant: read models, snapshots, and the facts decisions are made against.

Promises      a snapshot or fact as of T reads nothing that happened at or after T; read models are rebuilt from the
              log alone and move with their checkpoint in one transaction.
Never         decides or predicts; keeps a fact the log does not hold.
Read next     core/link.py, then service.py.
"""

from steward.state.core.link import Part, Purchase, Wanted, link
from steward.state.service import FACTS, PriceSpread, SalesHistory, State, WeeklySales

__all__ = ["FACTS", "Part", "PriceSpread", "Purchase", "SalesHistory", "State", "Wanted", "WeeklySales", "link"]
