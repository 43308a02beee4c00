"""A proposal handed in from outside: read strictly, named by its key, dated by us."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from pydantic import ValidationError

from steward.contracts.action import ActionProposal
from steward.kernel.errors import BadInput
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms

_KEYS = frozenset({"key", "kind", "params", "principal", "why", "evidence", "expires_at"})


def proposal_of(document: Any, at: datetime, where: str) -> ActionProposal:
    """The proposal. Its kind and key name the effect: handed in again, it is the same action."""
    if not isinstance(document, dict):
        raise BadInput("is not a JSON object", where=where)
    given = cast("dict[str, Any]", document)
    unknown = sorted(set(given) - _KEYS)
    if unknown:
        raise BadInput(f"unknown keys {unknown}", where=where, fix=f"a proposal has {sorted(_KEYS)}")
    principal = given.get("principal")
    if not isinstance(principal, dict) or set(cast("dict[str, Any]", principal)) != {"id"}:
        raise BadInput("a principal has exactly an id", where=where, fix="roles are not the proposer's to claim")
    name = f"{given.get('kind')}:{given.get('key')}"
    named = {"key": name, "id": derived_id("act", unix_ms(at), name), "at": at}
    try:
        return ActionProposal.model_validate({**given, **named})
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput(what, where=where, fix="see docs/concepts/gate.md") from error
