"""Background work: whatever follows from events without anybody asking.

Promises      any number of workers against one database do everything once; one that dies leaves nothing half done;
              every consumer that fails says so and is tried again, and the others go on.
Never         answers requests; decides anything (control) or holds state of its own.
Read next     loops.py, jobs.py.
"""

from steward.worker.loops import Worker

__all__ = ["Worker"]
