"""The gateway: the only way out. Today every kind of action is in shadow: requests are built and not sent.

Promises      nothing passes without evidence the gate itself has rebuilt and re-checked; the same key is the same
              action, once; refusals carry a code, a sentence and the rules that decided.
Never         chooses (policy) or proves (verifier); sends anything while a kind is in shadow.
Read next     core/admit.py, then service.py.
"""

from steward.gateway.service import ActionRecord, Gateway

__all__ = ["ActionRecord", "Gateway"]
