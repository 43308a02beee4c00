"""Decides whether an action keeps the business's rules, and proves it where facts are uncertain.

Rules are formulas over facts and the action's parameters. Ground rules are evaluated exactly; a rule over
uncertain facts needs a certificate, found by untrusted provers in their own process and accepted by a checker
of 200 lines.

Promises      the same verdict for the same catalog, facts and action; ALLOW only when every rule holds for
              every value the facts may have; a DENY of an uncertain rule has values that show it; a bundle
              that others re-check.
Never         reads a clock or a network; believes a prover; treats null, undefined or unknown as true.
Read next     core/decide.py, then core/check.py.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steward.verifier.core.bundle import check_bundle
    from steward.verifier.core.describe import Describer, told
    from steward.verifier.core.wording import canonical
    from steward.verifier.provers.refit import trees_of as certificate_trees
    from steward.verifier.service import Verifier, check_only, checked_theorems
    from steward.verifier.store import ProofLog

_PLACES = {
    "Describer": "core.describe",
    "ProofLog": "store",
    "Verifier": "service",
    "canonical": "core.wording",
    "certificate_trees": "provers.refit:trees_of",
    "check_bundle": "core.bundle",
    "check_only": "service",
    "checked_theorems": "service",
    "told": "core.describe",
}


def __getattr__(name: str) -> Any:
    """A name of the door is loaded when first asked for: the prover's process lives behind it and needs none of them,
    and starts in a tenth of the time.
    """
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, inside = _PLACES[name].partition(":")
    found = getattr(import_module(f"{__name__}.{module}"), inside or name)
    globals()[name] = found
    return found


__all__ = [
    "Describer",
    "ProofLog",
    "Verifier",
    "canonical",
    "certificate_trees",
    "check_bundle",
    "check_only",
    "checked_theorems",
    "told",
]
