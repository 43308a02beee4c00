"""Cross-checks of rules, kinds and facts: everything a rule reads is offered, everybody a rule names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from steward.catalog.loader import Catalog, Problem
from steward.contracts.kind import ActionKind
from steward.contracts.port import PortVerb

_ROLE = re.compile(r'"([a-z_]+)" in principal\.roles')
_NAMED = re.compile(r"\{([a-z_.]+)\}")
_LIMIT = "limit."


def check_rules(
    catalog: Catalog, reads: Mapping[str, AbstractSet[str]], offered: Mapping[str, AbstractSet[str]]
) -> list[Problem]:
    """Every problem found. `reads` are the facts that the rules on each kind name, `offered` what an owner answers."""
    return [
        *_facts(catalog, reads, offered),
        *_people(catalog),
        *_effects(catalog),
        *_requests(catalog),
    ]


def counts(catalog: Catalog) -> dict[str, int]:
    """How many rules there are, and how many are shown to hold over an interval and over any subset of what is in
    flight: such a rule has an example that comes out ALLOW on such a fact.
    """
    rules = [rule for _, file in catalog.rule_files for rule in file.invariants]
    return {
        "guards": sum(rule.otherwise == "deny" for rule in rules),
        "over_interval": sum(rule.allows_over("low") for rule in rules),
        "over_any_subset": sum(rule.allows_over("any_subset_of") for rule in rules),
        "states": sum(len(file.states) for _, file in catalog.rule_files),
        "facts": sum(len(file.facts) for _, file in catalog.rule_files),
        "kinds_with_effect": sum(bool(kind.effect) for kind in catalog.kinds),
    }


def _problem(where: str, what: str, fix: str) -> Problem:
    return {"where": where, "what": what, "fix": fix}


def _facts(
    catalog: Catalog, reads: Mapping[str, AbstractSet[str]], offered: Mapping[str, AbstractSet[str]]
) -> Iterator[Problem]:
    """A kind names exactly the facts its rules read, each with an owner that answers it."""
    for kind in catalog.kinds:
        file = f"actions/{kind.kind}.yaml"
        read = {name for name in reads.get(kind.kind, ()) if not name.startswith(_LIMIT)}
        for name in sorted(read - set(kind.facts)):
            yield _problem(
                catalog.at(file, "facts"), f"its rules read {name}, and no owner is named", "name the owner under facts"
            )
        for name in sorted(set(kind.facts) - read):
            yield _problem(catalog.at(file, "facts", name), f"no rule on it reads {name}", "take it out of facts")
        for name, owner in kind.facts.items():
            if name not in offered.get(owner, ()):
                what, fix = f"{owner} offers no fact {name}", "name its owner, or teach it to answer"
                yield _problem(catalog.at(file, "facts", name), what, fix)
        if kind.kind not in reads or not catalog.rules_on(kind.kind):
            yield _problem(file, "no rule covers it, so nothing of it is allowed", "write one")


def _people(catalog: Catalog) -> Iterator[Problem]:
    """Approvers, owners and the roles that rules ask for exist; whoever approves a level may."""
    roles = {role.role: role for role in catalog.roles}
    for policy in catalog.risk:
        for name in (policy.approver, policy.escalate_to):
            if name is not None and (name not in roles or policy.level not in roles[name].approves):
                yield _problem("risk.yaml", f"{name} may not approve {policy.level}", "say so in roles.yaml")
    for index, limit in enumerate(catalog.limits):
        if limit.owner not in roles:
            where = catalog.at("limits.yaml", index, "owner")
            yield _problem(where, f"{limit.name} is owned by {limit.owner}, who has no role", "see roles.yaml")
    for agent in catalog.agents:
        if agent.name in roles:
            yield _problem(f"agents/{agent.name}", "has the name of a role that approves", "call it something else")
    yield from _named_in_rules(catalog, set(roles))


def _named_in_rules(catalog: Catalog, roles: AbstractSet[str]) -> Iterator[Problem]:
    for name, file in catalog.rule_files:
        for section, rules in (("invariants", file.invariants), ("states", file.states)):
            for index, rule in enumerate(rules):
                if rule.owner not in roles:
                    where = f"{catalog.at(f'invariants/{name}', section, index, 'owner')} {rule.id}"
                    yield _problem(where, f"is owned by {rule.owner}, who has no role", "see roles.yaml")
        for index, rule in enumerate(file.invariants):
            for role in sorted(set(_ROLE.findall(f"{rule.when} {rule.require}")) - roles):
                where = f"{catalog.at(f'invariants/{name}', 'invariants', index, 'require')} {rule.id}"
                yield _problem(where, f"asks for a role {role} that nobody has", "see roles.yaml")


def _effects(catalog: Catalog) -> Iterator[Problem]:
    """Each kind says what it does to the facts, or why it does nothing."""
    for kind in catalog.kinds:
        if bool(kind.effect) == bool(kind.no_effect.strip()):
            what = "says both an effect and why it has none" if kind.effect else "says no effect and not why"
            where = catalog.at(f"actions/{kind.kind}.yaml", "no_effect")
            yield _problem(where, what, "write effect, or no_effect with the reason")
        if kind.approvals < 1:
            where = catalog.at(f"actions/{kind.kind}.yaml", "approvals")
            yield _problem(where, "is approved by nobody", "write approvals: 1 or more")


def _requests(catalog: Catalog) -> Iterator[Problem]:
    """A verb asks only for parameters that the kind has; an amount is one of them, and money."""
    verbs = {f"{port.port}.{verb.verb}": verb for port in catalog.ports for verb in port.verbs}
    for kind in catalog.kinds:
        file = f"actions/{kind.kind}.yaml"
        if kind.amount is not None and kind.params.get(kind.amount) != "money":
            where = catalog.at(file, "amount")
            yield _problem(where, f"its amount {kind.amount} is no parameter of money", "name one, or write null")
        if kind.risk_steps and kind.amount is None:
            where = catalog.at(file, "risk_steps")
            yield _problem(where, "has steps of risk and no amount", "name the parameter they look at")
        if kind.verb in verbs:
            for name in sorted(_asked(verbs[kind.verb]) - _has(kind)):
                where = catalog.at(file, "params")
                yield _problem(where, f"{kind.verb} asks for {name}, which it does not have", "add the parameter")


def _asked(verb: PortVerb) -> set[str]:
    return {*_NAMED.findall(verb.path), *verb.body.values()}


def _has(kind: ActionKind) -> set[str]:
    parts = {f"{name}.{part}" for name, form in kind.params.items() if form == "money" for part in _MONEY}
    return {*kind.params, *parts}


_MONEY = ("amount_minor", "currency")
