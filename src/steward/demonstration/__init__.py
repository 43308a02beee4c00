"""Simulated business days against `livemarket`, through real processes, sockets and webhooks: `steward demo --live`.

Promises      it lives in a folder and a database of its own, whose time is simulated and stays so; whatever is killed
              in the middle, the end is the same; what it shows is held against what the world knows.
Never         opens a database of real business; does inside the system what a person, an agent or a provider does over
              HTTP in life; imports the world.
Read next     walk.py, then truth.py.
"""

from steward.demonstration.figures import shown
from steward.demonstration.plan import Plan
from steward.demonstration.walk import LiveDemo

__all__ = ["LiveDemo", "Plan", "shown"]
