"""The verifier's services: deciding actions, proving theorems, and what the owner asks of a catalog."""

from steward.verifier.service.theorems import checked_theorems
from steward.verifier.service.verifier import Verifier, check_only

__all__ = ["Verifier", "check_only", "checked_theorems"]
