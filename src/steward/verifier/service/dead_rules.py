"""Guards that do nothing, kept beside the catalog: looked for when theorems are proved, told for nothing afterwards.

What is kept of a kind names by digest everything the answer rests on: its guards, the state rules, its effect, and the
types and bounds of what they read. Another catalog makes it stale, and that shows. That a guard is implied comes with a
certificate, whose obligation is built again and checked whenever the file is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from steward.contracts.base import JsonObject
from steward.kernel.canonical import digest_hex
from steward.verifier.core.check import Refused, check_obligation
from steward.verifier.core.evaluate import Undecided
from steward.verifier.core.rules import Catalog
from steward.verifier.core.spots import Documents, Spot, spot_of
from steward.verifier.core.syntax import to_json
from steward.verifier.core.theorems import guards, implication
from steward.verifier.core.types import type_json
from steward.verifier.core.units import reads

FORMAT = "steward-dead-rules/1"
_UNREADABLE = (Refused, Undecided, ValueError, TypeError, KeyError, IndexError, RecursionError)
_KEPT = ("rule", "by", "tree", "certificate_bytes")


def rests_on(catalog: Catalog, kind: str) -> str:
    """The digest of all that decides which guards of a kind do nothing."""
    effect = catalog.effects.get(kind, {})
    nodes = {
        "states": {state.id: state.holds for state in catalog.states},
        "guards": {rule.id: rule.rule for rule in guards(catalog, kind)},
        "effect": effect,
    }
    named = frozenset[str]().union(effect, *(reads(node) for part in nodes.values() for node in part.values()))
    scope = catalog.scope(kind)
    bounds = {name: [str(end) for end in ends] for name, ends in catalog.bounds.items() if name in named}
    return digest_hex(
        {
            "kind": kind,
            "types": {name: type_json(scope[name]) for name in sorted(named & scope.keys())},
            "bounds": bounds,
            **{part: [[name, to_json(node)] for name, node in found.items()] for part, found in nodes.items()},
        }
    )


def kept(catalog: Catalog, found: Iterable[JsonObject]) -> JsonObject:
    """A `dead_rules.json` of what `Verifier.dead_rules` found, kind by kind."""
    kinds = [
        {
            "kind": entry["kind"],
            "rests_on": rests_on(catalog, entry["kind"]),
            "implied": [{key: one[key] for key in _KEPT} for one in entry["implied"]],
            "unused": entry["unused"],
        }
        for entry in found
    ]
    return {"format": FORMAT, "kinds": kinds}


def still_true(catalog: Catalog, document: JsonObject | None) -> dict[str, JsonObject]:
    """By kind, what a `dead_rules.json` says of this very catalog, as `Verifier.dead_rules` says it. An entry that is
    about another catalog, or whose certificate the checker does not accept, is left out.
    """
    listed: object = document.get("kinds") if document is not None and document.get("format") == FORMAT else None
    found: dict[str, JsonObject] = {}
    for entry in cast("list[Any]", listed) if isinstance(listed, list) else []:
        try:
            kind = entry["kind"]
            if kind in catalog.kinds and entry["rests_on"] == rests_on(catalog, kind):
                implied = [_checked(catalog, kind, one) for one in entry["implied"]]
                found[kind] = {"kind": kind, "implied": implied, "unused": [str(name) for name in entry["unused"]]}
        except _UNREADABLE:
            continue
    return found


def _checked(catalog: Catalog, kind: str, entry: Any) -> JsonObject:
    """A guard that others imply, with its obligation built anew; the checker's refusal is raised."""
    rules = {rule.id: rule.rule for rule in guards(catalog, kind)}
    name, by = str(entry["rule"]), [str(other) for other in entry["by"]]
    if name in by:
        raise Refused("a rule that implies itself")
    title = f"{kind}: {', '.join(by) or 'nothing'} implies {name}"
    obligation, _ = implication(catalog, kind, title, {other: rules[other] for other in by}, rules[name])
    check_obligation(obligation, entry["tree"])
    return {**{key: entry[key] for key in _KEPT}, "obligation": obligation}


def warnings(catalog: Catalog, documents: Documents, known: dict[str, JsonObject]) -> list[JsonObject]:
    """[{where, what, fix}]: each guard that does nothing, once with the kinds it does nothing for, and the kinds of
    which it is not known.
    """
    told: dict[tuple[str, str], list[str]] = {}
    for kind, entry in known.items():
        for one in entry["implied"]:
            what = f"is implied by {', '.join(one['by'])}" if one["by"] else "is always true"
            told.setdefault((one["rule"], what), []).append(kind)
        for name in entry["unused"]:
            told.setdefault((name, "is needed by no theorem"), []).append(kind)
    found = [
        {
            "where": (spot_of(documents, "invariants", rule) or Spot("catalog", None, (), rule)).where(),
            "what": f"{what} on {', '.join(kinds)}",
            "fix": "take it out, or keep it for what it says of each action",
        }
        for (rule, what), kinds in told.items()
    ]
    missing = [kind for kind in catalog.kinds if kind not in known and guards(catalog, kind)]
    if missing:
        names = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        fix = "steward verify prove-catalog --write looks for them"
        found.append({"where": "dead_rules.json", "what": f"says nothing of {names} as they are now", "fix": fix})
    return found
