"""The policy: chooses among proven options and says with which probability it did.

Promises      only admissible options are drawn from; the logged propensity is exactly the probability of the draw;
              the draw can be repeated from its seed; "nothing" is always an option.
Never         sees an option the verifier refused; learns yet (the log it writes is made for learning).
Read next     core/rules.py, then service.py.
"""

from steward.policy.service import NOTHING, PROPOSE, Policy

__all__ = ["NOTHING", "PROPOSE", "Policy"]
