"""Agents: rules that compute proposals from the data. They can only propose.

Promises      the same data give the same proposals with the same keys; what an agent read is kept as evidence.
Never         holds a role that approves; executes; reads past the instant it speaks at.
Read next     core/prices.py, then service.py.
"""

from steward.agents.service import Agents

__all__ = ["Agents"]
