"""The log's services: appending and reading, sequencing the outbox, batching writers, verifying."""

from steward.events.service.log import EventLog, check_payload
from steward.events.service.sequencer import Sequencer
from steward.events.service.verification import LogReport
from steward.events.service.writer import BatchWriter

__all__ = ["BatchWriter", "EventLog", "LogReport", "Sequencer", "check_payload"]
