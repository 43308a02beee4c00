"""The spine: every action, whoever proposed it, goes through `act` once.

Promises      predict, prove, then choose; one transaction writes forecast, evidence, decision, outcome and facts, or
              none of them; the same key is acted on once.
Never         knows a kind of action by name; goes back up the line.
Read next     act.py, top to bottom. It is the story of the whole system.
"""

from steward.control.act import Control
from steward.control.asking import MOST_KEY, MOST_TEXT, KeyReused, answer_of, ask, line_of, outcome_of, tool_line
from steward.control.audit import Auditor, AuditReport
from steward.control.cancelling import Cancellations, Cancelled
from steward.control.export import Exporter, keep_catalog
from steward.control.figures import Figures
from steward.control.live import Acted, LiveLine
from steward.control.proposing import proposal_of
from steward.control.story import shown, story_of, summary

__all__ = [
    "MOST_KEY",
    "MOST_TEXT",
    "Acted",
    "AuditReport",
    "Auditor",
    "Cancellations",
    "Cancelled",
    "Control",
    "Exporter",
    "Figures",
    "KeyReused",
    "LiveLine",
    "answer_of",
    "ask",
    "keep_catalog",
    "line_of",
    "outcome_of",
    "proposal_of",
    "shown",
    "story_of",
    "summary",
    "tool_line",
]
