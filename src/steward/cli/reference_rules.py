"""The catalog as pages for people: what rules say, what kinds do, which limits there are, who decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, cast

from steward.catalog import Catalog
from steward.contracts.invariant import FactSpec, InvariantSpec, StateRule
from steward.contracts.kind import ActionKind, Limit
from steward.world_model import NOT_MODELLED

_MADE = "Generated from the catalog by `make schemas`; edit that, not this page.\n"
_INVARIANTS = f"""# Invariants

{_MADE}
What must be true of an action, and what is always true of the business. A rule that says `deny` is never passed by
anybody; one that says `escalate` is decided by a person. Where a fact is uncertain the rule must hold for every value
it may have, by certificate. For each kind of action theorems say that the rules which deny keep true what is always
true. What is undefined (a division by zero, amounts in two currencies) is never allowed.
"""
_ACTIONS = f"""# Action kinds

{_MADE}
Each kind with its parameters, the facts its rules read and who answers them, and its effect: the value of a fact after
the action. Facts that only effects name are tallies kept by the proofs. In stage `shadow` requests are built and never
sent.
"""
_LIMITS = f"""# Limits

{_MADE}
Every number the business set, with who may change it and why it is what it is. A rule reads it as `limit.` and its
name.
"""
_RISK = f"""# Risk policy

{_MADE}
The level of an action follows from its kind and its amount; a proposer cannot choose it. Agents hold no role that
approves, and nobody approves what he proposed. Silence is a no.
"""

_FORMS: tuple[tuple[Literal["low", "any_subset_of"], str], ...] = (
    ("low", "an interval"),
    ("any_subset_of", "any subset of what is in flight"),
)


def invariants_page(catalog: Catalog) -> str:
    """A section a file: its facts, what is always true of them, its rules."""
    owners = {name: owner for kind in catalog.kinds for name, owner in kind.facts.items()}
    parts = [_INVARIANTS]
    for name, file in catalog.rule_files:
        parts.append(f"\n## {_title(name)}\n")
        parts += [f"\n{line}" for line in _facts(file.facts, owners)]
        parts += [f"\n{line}" for line in _states(file.states)]
        parts += [f"\n{_rule(rule)}" for rule in file.invariants]
    return "".join(parts).rstrip("\n") + "\n"


def actions_page(catalog: Catalog) -> str:
    return "".join([_ACTIONS, *(f"\n{_kind(catalog, kind)}" for kind in catalog.kinds)])


def limits_page(catalog: Catalog) -> str:
    rows = [[f"`{one.name}`", _value(one), one.owner, one.why, _readers(catalog, one)] for one in catalog.limits]
    return _LIMITS + "\n" + _table(["limit", "value", "owner", "why", "read by"], rows)


def risk_page(catalog: Catalog) -> str:
    return "\n".join(
        [
            _RISK,
            _table(["level", "means", "who decides", "who may as well", "no answer", "examples"], _levels(catalog)),
            "## Roles\n",
            _table(["role", "means", "approves"], ([r.role, r.meaning, ", ".join(r.approves)] for r in catalog.roles)),
            "## Kinds\n",
            "The first step whose limit an amount exceeds sets the level.\n",
            _table(["kind", "level", "above", "people", "reversible", "stage", "exploration", "why"], _risks(catalog)),
        ]
    )


def _levels(catalog: Catalog) -> Iterator[list[Any]]:
    for policy in catalog.risk:
        who = policy.approver or "nobody: automatic"
        later = f"{policy.escalate_to} after {policy.escalate_hours} h" if policy.escalate_to else ""
        silence = f"{policy.expiry} after {policy.expires_hours} h" if policy.expires_hours else ""
        yield [policy.level, policy.meaning, who, later, silence, "; ".join(policy.examples)]


def _risks(catalog: Catalog) -> Iterator[list[Any]]:
    for kind in catalog.kinds:
        people = kind.approvals if kind.approvals > 1 else ""
        back = "yes" if kind.reversible else "no"
        yield [f"`{kind.kind}`", kind.risk, _steps(kind), people, back, kind.stage, kind.exploration, kind.why]


def _title(name: str) -> str:
    return name.removesuffix(".yaml").replace("_", " ").capitalize()


def _table(head: list[str], rows: Iterable[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _form(spec: Any) -> str:
    """A type as the catalog writes it."""
    if isinstance(spec, dict):
        fields = cast("dict[str, Any]", spec).items()
        return "{" + ", ".join(f"{name}: {_form(part)}" for name, part in fields) + "}"
    return str(spec)


def _facts(facts: tuple[FactSpec, ...], owners: dict[str, str]) -> Iterator[str]:
    if facts:
        rows = [
            [f"`{f.name}`", _form(f.type), _bounds(f), owners.get(f.name, "proofs"), f.why + _absent(f.name)]
            for f in facts
        ]
        yield _table(["fact", "type", "bounds", "owner", "what it is"], rows)


def _absent(name: str) -> str:
    return "; **nothing answers it yet, so its rules escalate**" if name in NOT_MODELLED else ""


def _bounds(fact: FactSpec) -> str:
    ends = [
        f"least {fact.least}" if fact.least is not None else "",
        f"most {fact.most}" if fact.most is not None else "",
    ]
    return ", ".join(end for end in ends if end)


def _states(states: tuple[StateRule, ...]) -> Iterator[str]:
    if states:
        yield "Always true:\n"
        yield "\n".join(f"- **{s.id}**: `{s.holds}` ({s.why})" for s in states) + "\n"


def _rule(rule: InvariantSpec) -> str:
    kinds = "every kind" if rule.on == "*" else ", ".join(f"[{kind}](actions.md#{_anchor(kind)})" for kind in rule.on)
    over = [word for form, word in _FORMS if rule.allows_over(form)]
    lines = [
        f"### {rule.id}\n",
        f"{rule.title}: {rule.why}.\n",
        f"On {kinds}. Otherwise: {rule.otherwise} (`{rule.code}`). Severity {rule.severity}, owner {rule.owner}."
        + (f" Holds over {' and '.join(over)}." if over else ""),
        "",
        "```",
        *([f"when {rule.when}"] if rule.when else []),
        f"require {rule.require}",
        "```\n",
        f"{_counted(rule)}\n",
    ]
    return "\n".join(lines)


def _counted(rule: InvariantSpec) -> str:
    verdicts = [example.verdict for example in rule.examples]
    told = ", ".join(f"{verdicts.count(word)} {word}" for word in ("ALLOW", "DENY", "ESCALATE") if word in verdicts)
    return f"Examples that are run: {told}."


def _kind(catalog: Catalog, kind: ActionKind) -> str:
    proposers = [agent.name for agent in catalog.agents if kind.kind in agent.proposes]
    facts = [f"`{name}` ({owner})" for name, owner in kind.facts.items()]
    rules = [f"[{rule.id}](invariants.md#{rule.id})" for rule in catalog.rules_on(kind.kind)]
    effect = [f"{fact}' = {formula}" for fact, formula in kind.effect.items()]
    lines = [
        f"## {kind.kind}\n",
        f"{kind.meaning[0].upper()}{kind.meaning[1:]}: {kind.why}.\n",
        f"- parameters: {', '.join(f'`{name}` {_form(form)}' for name, form in kind.params.items())}",
        f"- facts: {', '.join(facts) or 'none'}",
        f"- risk: {kind.risk}{'; ' + _steps(kind) if kind.risk_steps else ''}",
        f"- verb: `{kind.verb}`, stage {kind.stage}",
        f"- proposed by: {', '.join(proposers)}",
        f"- rules: {', '.join(rules)}\n",
        *(["```", *effect, "```\n"] if effect else [f"No effect: {kind.no_effect}\n"]),
    ]
    return "\n".join(lines)


def _anchor(heading: str) -> str:
    """How a heading is linked to: its dots fall away."""
    return heading.replace(".", "")


def _steps(kind: ActionKind) -> str:
    return ", ".join(f"{step.level} above `{step.amount_above}`" for step in reversed(kind.risk_steps))


def _value(limit: Limit) -> str:
    if isinstance(limit.value, dict):
        return f"{limit.value['amount_minor']} minor units {limit.value['currency']}"
    return str(limit.value)


def _readers(catalog: Catalog, limit: Limit) -> str:
    """The rules that read it, and the kinds whose risk it is a step of."""
    rules = [rule.id for _, file in catalog.rule_files for rule in file.invariants if _reads(rule, limit.name)]
    kinds = [kind.kind for kind in catalog.kinds if limit.name in [step.amount_above for step in kind.risk_steps]]
    return ", ".join([*rules, *(f"risk of {kind}" for kind in kinds)])


def _reads(rule: InvariantSpec, name: str) -> bool:
    words = f"{rule.when or ''} {rule.require}".replace("(", " ").replace(")", " ").replace(",", " ").split()
    return f"limit.{name}" in words
