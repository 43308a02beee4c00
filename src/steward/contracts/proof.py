"""Verdicts: what the verifier answers, and the evidence it answers with."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract, Json, JsonObject

VerdictWord = Literal["ALLOW", "DENY", "ESCALATE"]
Basis = Literal["evaluated", "certificate", "theorem"]


class Finding(Contract):
    """What one invariant said; it is `skipped` where its `when` is false."""

    id: str
    basis: Basis
    status: Literal["holds", "fails", "undefined", "missing", "unproved", "skipped"]
    otherwise: Literal["deny", "escalate"]
    detail: str = ""


class Reason(Contract):
    """An entry of `determining` or `errored`."""

    id: str
    basis: Basis
    detail: str


class Verdict(Contract):
    """ALLOW, DENY or ESCALATE, with every finding, the rules that decided and a counterexample where one exists.

    `bundle` is self-contained JSON: catalog digest, facts, action, obligations and certificates. `nearest` is, on a
    DENY, the nearest value of one parameter that would be allowed. `assumptions` is what the verdict takes on trust.
    """

    verdict: VerdictWord
    determining: tuple[Reason, ...] = ()
    errored: tuple[Reason, ...] = ()
    counterexample: dict[str, Json] = {}
    findings: tuple[Finding, ...] = ()
    nearest: dict[str, Json] = {}
    assumptions: tuple[str, ...] = ()
    bundle: JsonObject = {}


class Checked(Contract):
    """The checker's answer on a bundle."""

    valid: bool
    reason: str = ""
