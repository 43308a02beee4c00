"""Re-checks a whole proof bundle with the checker alone. Standard library only; part of the trusted base.

A bundle binds everything by digest: catalog, action, facts, findings, the obligations the prover discharged,
one certificate for each, and the verdict, which is derived again here. What this cannot know is whether the
obligations are the ones the catalog demands for that action and those facts: `Verifier.rebuild` answers that.
"""

from __future__ import annotations

import json
from typing import Any, cast

from steward.verifier.core.check import Refused, canonical, check_obligation, digest, items, require

FORMAT = "steward-bundle/1"
BUNDLE_BYTES_MAX = 8_000_000
_BUNDLE = "format catalog_digest action facts now verdict findings witness obligations certificates digest"
_STATUSES = frozenset({"holds", "fails", "undefined", "missing", "unproved", "skipped"})


def verdict_of(findings: list[tuple[str, str]]) -> str:
    """The rules of `steward verify decide` over (otherwise, status); an action no rule covers is denied."""
    if not findings or ("deny", "fails") in findings or ("deny", "undefined") in findings:
        return "DENY"
    return "ALLOW" if all(status in ("holds", "skipped") for _, status in findings) else "ESCALATE"


def _with_keys(value: Any, keys: str, what: str) -> dict[str, Any]:
    require(type(value) is dict, f"{what} is not an object")
    require(set(value) == set(keys.split()), f"{what} has other keys than {keys}")
    return cast("dict[str, Any]", value)


def _without_digest(value: dict[str, Any], what: str) -> str:
    """The digest of `value`, which it must carry itself."""
    found = digest({key: item for key, item in value.items() if key != "digest"})
    require(value["digest"] == found, f"{what}: the digest does not match the content")
    return found


def _strict(text: str | bytes) -> Any:
    def refuse(literal: str) -> Any:
        raise Refused(f"{literal[:40]} is not an integer")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "a key appears twice")
        return dict(pairs)

    return json.loads(text, parse_float=refuse, parse_constant=refuse, object_pairs_hook=unique)


def _findings(value: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """(otherwise, status) of every finding, and the rules that claim a certificate."""
    said: list[tuple[str, str]] = []
    claimed: list[str] = []
    seen: set[str] = set()
    for entry in items(value, "findings"):
        finding = _with_keys(entry, "id basis status otherwise detail", "a finding")
        require(all(type(item) is str for item in finding.values()), "a finding is not text")
        require(finding["id"] not in seen, f"invariant {finding['id']} appears twice")
        require(finding["otherwise"] in ("deny", "escalate"), "an unknown severity")
        require(
            finding["status"] in _STATUSES and finding["basis"] in ("evaluated", "certificate"),
            "an unknown finding",
        )
        seen.add(finding["id"])
        said.append((finding["otherwise"], finding["status"]))
        if finding["basis"] == "certificate" and finding["status"] == "holds":
            claimed.append(finding["id"])
    return said, claimed


def _check(source: Any) -> None:
    text = source if isinstance(source, str | bytes) else canonical(source)
    require(len(text) <= BUNDLE_BYTES_MAX, "the bundle is too long")
    bundle = _with_keys(_strict(text), _BUNDLE, "the bundle")
    require(bundle["format"] == FORMAT, f"the format is not {FORMAT}")
    said, claimed = _findings(bundle["findings"])
    require(bundle["verdict"] == verdict_of(said), "the verdict does not follow from the findings")
    obligations = items(bundle["obligations"], "obligations")
    certificates = items(bundle["certificates"], "certificates")
    require(len(obligations) == len(certificates), "not one certificate for each obligation")
    named: list[str] = []
    for one, other in zip(obligations, certificates, strict=True):
        obligation = _with_keys(one, "invariant variables hypotheses goal digest", "an obligation")
        certificate = _with_keys(other, "obligation_digest tree", "a certificate")
        name = f"obligation {str(obligation['invariant'])[:100]}"
        found = _without_digest(obligation, name)
        require(certificate["obligation_digest"] == found, f"{name}: the certificate is for another obligation")
        try:
            check_obligation(obligation, certificate["tree"])
        except Refused as refused:
            raise Refused(f"{name}: {refused}") from None
        named.append(obligation["invariant"])
    require(named == claimed, "the obligations are not those the findings claim")
    _without_digest(bundle, "the bundle")


def check_bundle(source: Any) -> tuple[bool, str]:
    """(valid, reason) of a bundle as an object or JSON text. Never raises: what it cannot read is invalid."""
    try:
        _check(source)
    except Refused as refused:
        return False, str(refused)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError) as error:
        return False, f"the bundle cannot be read: {type(error).__name__}"
    return True, ""
