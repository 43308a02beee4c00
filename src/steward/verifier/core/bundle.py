"""Re-checks a whole proof bundle with the checker alone. Standard library only; part of the trusted base.

A bundle binds everything by digest: catalog, action, facts, findings, the obligations the prover discharged,
one certificate for each, and the verdict, which is derived again here. What this cannot know is whether the
obligations are the ones the catalog demands for that action and those facts: `Verifier.rebuild` answers that.

A finding by theorem names the theorem by its digest. Theorems are the same for every action of a kind, so a bundle
may leave them out; they are then looked up among those of a `theorems.json`, which `checked_theorems` has checked.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, cast

from steward.verifier.core.check import Refused, canonical, check_obligation, items, require

FORMAT = "steward-bundle/1"
BUNDLE_BYTES_MAX = 8_000_000
_SAID = frozenset({"format", "catalog_digest", "action", "facts", "now", "verdict", "findings", "witness"})
_BUNDLE = _SAID | {"obligations", "certificates", "digest"}
_FINDING = frozenset({"id", "basis", "status", "otherwise", "detail"})
_OBLIGATION = frozenset({"invariant", "variables", "hypotheses", "goal", "digest"})
_CERTIFICATE = frozenset({"obligation_digest", "tree"})
_BOOK = frozenset({"format", "theorems"})
_STORED = frozenset({"kind", "state", "uses", "obligation", "tree"})
_THEOREM = frozenset({"state", "obligation_digest"})
_INLINE = _THEOREM | {"uses", "obligation", "tree"}
THEOREMS = "steward-theorems/1"
_STATUSES = frozenset({"holds", "fails", "undefined", "missing", "unproved", "skipped"})


def verdict_of(findings: list[tuple[str, str]]) -> str:
    """The rules of `steward verify decide` over (otherwise, status); an action no rule covers is denied."""
    if not findings or ("deny", "fails") in findings or ("deny", "undefined") in findings:
        return "DENY"
    return "ALLOW" if all(status in ("holds", "skipped") for _, status in findings) else "ESCALATE"


def _with_keys(value: Any, keys: frozenset[str], what: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise Refused(f"{what} is not an object")
    entry = cast("dict[str, Any]", value)
    if entry.keys() != keys:
        raise Refused(f"{what} has other keys than {', '.join(sorted(keys))}")
    return entry


def _without_digest(digest: Any, text: str, what: str) -> str:
    """The digest that a canonical `text` without its own digest has; it must be this one."""
    found = sha256(text.encode()).hexdigest()
    require(digest == found, f"{what}: the digest does not match the content")
    return found


def _strict(text: str | bytes) -> Any:
    def refuse(literal: str) -> Any:
        raise Refused(f"{literal[:40]} is not an integer")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "a key appears twice")
        return dict(pairs)

    return json.loads(text, parse_float=refuse, parse_constant=refuse, object_pairs_hook=unique)


def _findings(value: Any) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """(otherwise, status) of every finding, the rules that claim a certificate, those that claim a theorem."""
    said: list[tuple[str, str]] = []
    claimed: dict[str, list[str]] = {"evaluated": [], "certificate": [], "theorem": []}
    seen: set[str] = set()
    for entry in items(value, "findings"):
        finding = _with_keys(entry, _FINDING, "a finding")
        require({*map(type, finding.values())} == {str}, "a finding is not text")
        name, basis, status, otherwise = (finding[key] for key in ("id", "basis", "status", "otherwise"))
        if name in seen:
            raise Refused(f"invariant {name} appears twice")
        require(otherwise in ("deny", "escalate"), "an unknown severity")
        require(status in _STATUSES and basis in claimed, "an unknown finding")
        seen.add(name)
        said.append((otherwise, status))
        require(basis != "theorem" or status == "holds", "a theorem that does not hold")
        if status == "holds":
            claimed[basis].append(name)
    return said, claimed["certificate"], claimed["theorem"]


def _proved(obligation: Any, tree: Any, wanted: Any = None) -> tuple[str, str]:
    """Digest and canonical text of an obligation that its tree proves; it must be the `wanted` one, if one is."""
    read = _with_keys(obligation, _OBLIGATION, "an obligation")
    name = f"obligation {str(read['invariant'])[:100]}"
    text = canonical(read)
    found = _without_digest(read["digest"], "{" + text[len(f'{{"digest":{canonical(read["digest"])},') :], name)
    require(wanted in (None, found), f"{name}: the certificate is for another obligation")
    try:
        check_obligation(read, tree)
    except Refused as refused:
        raise Refused(f"{name}: {refused}") from None
    return found, text


def checked_theorems(source: Any) -> dict[str, str]:
    """Name by digest of every theorem in a `theorems.json` (object or text); `Refused` if one of them is none."""
    book = _with_keys(
        _strict(source) if isinstance(source, str | bytes) else source,
        frozenset({"format", "theorems"}),
        "the theorems",
    )
    require(book["format"] == THEOREMS, f"the format is not {THEOREMS}")
    found: dict[str, str] = {}
    for entry in items(book["theorems"], "theorems"):
        theorem = _with_keys(entry, _STORED, "a theorem")
        digest_found, _ = _proved(theorem["obligation"], theorem["tree"])
        found[digest_found] = theorem["obligation"]["invariant"]
    return found


def _theorems(bundle: dict[str, Any], known: dict[str, str]) -> list[str]:
    """The states whose theorem is in the bundle or among the `known`, and is about the action's kind."""
    named: list[str] = []
    for entry in items(bundle.get("theorems", []), "theorems"):
        is_inline = type(entry) is dict and "tree" in entry
        theorem = _with_keys(entry, _INLINE if is_inline else _THEOREM, "a theorem")
        found, state = theorem["obligation_digest"], theorem["state"]
        if is_inline:
            _proved(theorem["obligation"], theorem["tree"], found)
            title = theorem["obligation"]["invariant"]
        else:
            is_known = type(found) is str and found in known
            require(is_known, f"theorem {state} is not known: it is neither in the bundle nor in a file given")
            title = known[found]
        require(title == f"{bundle['action']['kind']} keeps {state}", f"theorem {state}: it is about something else")
        named.append(state)
    return named


def _check(source: Any, known: dict[str, str]) -> None:
    text = source if isinstance(source, str | bytes) else canonical(source)
    require(len(text) <= BUNDLE_BYTES_MAX, "the bundle is too long")
    check_parts(_strict(text), known)


def check_parts(value: Any, known: dict[str, str]) -> str:
    """Everything about a bundle that was read strictly (integers only, no key twice); `Refused` says what is wrong.

    Gives its canonical text, put together from its parts so that each is written once.
    """
    has_theorems = type(value) is dict and "theorems" in value
    bundle = _with_keys(value, _BUNDLE | {"theorems"} if has_theorems else _BUNDLE, "the bundle")
    require(bundle["format"] == FORMAT, f"the format is not {FORMAT}")
    said, claimed, kept = _findings(bundle["findings"])
    require(bundle["verdict"] == verdict_of(said), "the verdict does not follow from the findings")
    obligations = items(bundle["obligations"], "obligations")
    certificates = items(bundle["certificates"], "certificates")
    require(len(obligations) == len(certificates), "not one certificate for each obligation")
    named: list[str] = []
    texts: list[str] = []
    for one, other in zip(obligations, certificates, strict=True):
        certificate = _with_keys(other, _CERTIFICATE, "a certificate")
        texts.append(_proved(one, certificate["tree"], certificate["obligation_digest"])[1])
        named.append(one["invariant"])
    require(named == claimed, "the obligations are not those the findings claim")
    require(_theorems(bundle, known) == kept, "the theorems are not those the findings claim")
    parts = {key: canonical(bundle[key]) for key in bundle if key != "obligations"}
    parts["obligations"] = f"[{','.join(texts)}]"
    members = [f'"{key}":{parts[key]}' for key in sorted(parts)]
    bare = [member for member in members if not member.startswith('"digest":')]
    _without_digest(bundle["digest"], f"{{{','.join(bare)}}}", "the bundle")
    return f"{{{','.join(members)}}}"


def check_bundle(source: Any, known: dict[str, str] | None = None) -> tuple[bool, str]:
    """(valid, reason) of a bundle as an object or JSON text. Never raises: what it cannot read is invalid.

    `known` are theorems checked before, as `checked_theorems` gives them.
    """
    try:
        _check(source, known or {})
    except Refused as refused:
        return False, str(refused)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError) as error:
        return False, f"the bundle cannot be read: {type(error).__name__}"
    return True, ""
