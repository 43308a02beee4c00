"""Cross-checks between the catalog's files: every name one of them uses exists in another."""

from __future__ import annotations

from collections.abc import Iterator

from steward.catalog.loader import Catalog, Problem
from steward.contracts.event import EventSpec
from steward.contracts.kind import ActionKind
from steward.contracts.payloads import CURRENT, PAYLOADS, VERSIONS


def check_links(catalog: Catalog) -> list[Problem]:
    """Every problem found, none raised: the whole list is more use than its first entry."""
    return [
        *_duplicates(catalog),
        *_events(catalog),
        *_kinds(catalog),
        *_agents(catalog),
        *_risk(catalog),
    ]


def _problem(where: str, what: str, fix: str) -> Problem:
    return {"where": where, "what": what, "fix": fix}


def _duplicates(catalog: Catalog) -> Iterator[Problem]:
    named = {
        "limits.yaml": [limit.name for limit in catalog.limits],
        "accounts.yaml": [account.code for account in catalog.chart],
        "postings.yaml": [rule.kind for rule in catalog.postings],
        "events": [spec.type for spec in catalog.events],
        "actions": [kind.kind for kind in catalog.kinds],
        "agents": [agent.name for agent in catalog.agents],
    }
    for where, names in named.items():
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield _problem(where, f"{name} stands twice", "remove one")


def _events(catalog: Catalog) -> Iterator[Problem]:
    types = {spec.type for spec in catalog.events}
    for name in sorted(types - set(PAYLOADS)):
        yield _problem("events", f"{name} has no payload model", "add it to contracts/payloads")
    for name in sorted(set(PAYLOADS) - types):
        yield _problem("events", f"payload model {name} is in no catalog file", "describe it under events/")
    for spec in catalog.events:
        if spec.type in PAYLOADS:
            yield from _payload(spec)
    money = {spec.type for spec in catalog.events if spec.money}
    ruled = {rule.event for rule in catalog.postings}
    for name in sorted(money - ruled):
        yield _problem("postings.yaml", f"money event {name} has no posting rule", "add one")
    for name in sorted(ruled - money):
        yield _problem("postings.yaml", f"{name} has a posting rule and is no money event", "mark it money: true")


def _payload(spec: EventSpec) -> Iterator[Problem]:
    """What a row says about its payload, against the models of every version."""
    current = PAYLOADS[spec.type].model_fields
    ever = {name for (event, _), model in VERSIONS.items() if event == spec.type for name in model.model_fields}
    if spec.version != CURRENT[spec.type]:
        yield _problem(
            "events", f"{spec.type} is at version {CURRENT[spec.type]}, not {spec.version}", "write the current version"
        )
    for key in spec.personal:
        if key not in ever:
            yield _problem("events", f"{spec.type} has no personal field {key}", "name a field of the payload")
        elif key in current and current[key].is_required():
            yield _problem(
                "events", f"{spec.type} cannot be without its personal field {key}", "make it optional in the payload"
            )
    if spec.identity is not None and (spec.identity not in current or spec.identity in spec.personal):
        yield _problem(
            "events", f"{spec.type} has no field {spec.identity} that could name a person", "name one that stays"
        )


def _kinds(catalog: Catalog) -> Iterator[Problem]:
    verbs = {f"{port.port}.{verb.verb}" for port in catalog.ports for verb in port.verbs}
    limits = {limit.name for limit in catalog.limits}
    for kind in catalog.kinds:
        where = f"actions/{kind.kind}.yaml"
        if kind.verb not in verbs:
            yield _problem(catalog.at(where, "verb"), f"verb {kind.verb} is in no port", "add it under ports/")
        for step in kind.risk_steps:
            if step.amount_above not in limits:
                yield _problem(
                    catalog.at(where, "risk_steps"),
                    f"limit {step.amount_above} does not exist",
                    "add it to limits.yaml",
                )
        yield from _live(catalog, kind)
        if kind.exploration != "0" and not kind.reversible:
            yield _problem(catalog.at(where, "exploration"), "explores and is not reversible", 'set exploration to "0"')


def _live(catalog: Catalog, kind: ActionKind) -> Iterator[Problem]:
    """A live kind takes effect through an internal verb, as a hold whose accounts stand in the chart as written; or
    goes outside by a route, and an event that there is settles it.
    """
    where = f"actions/{kind.kind}.yaml"
    internal = {f"{p.port}.{verb.verb}" for p in catalog.ports for verb in p.verbs if verb.method == "INTERNAL"}
    is_held = kind.verb in internal and kind.hold is not None and kind.amount is not None
    is_entered = kind.verb in internal and kind.registry != "" and kind.hold is None
    is_routed = kind.verb not in internal and any(route.port == kind.verb for route in catalog.routes)
    if kind.stage == "live" and not (is_held or is_entered or is_routed):
        what = "is live without an internal verb, with an amount and a hold or a register, or a route to a tool"
        yield _problem(catalog.at(where, "stage"), what, "leave it in shadow")
    if kind.settles is not None and kind.settles.event not in {spec.type for spec in catalog.events}:
        yield _problem(catalog.at(where, "settles"), f"there is no event {kind.settles.event}", "name one of events/")
    if kind.hold is None:
        return
    for code in sorted({kind.hold.debit, kind.hold.credit} - {account.code for account in catalog.chart}):
        yield _problem(
            catalog.at(where, "hold"), f"holds on {code}, which the chart does not have", "add it to accounts.yaml"
        )
    caps = {limit.name for limit in catalog.limits if isinstance(limit.value, dict)}
    if kind.hold.day_cap not in caps:
        yield _problem(
            catalog.at(where, "hold", "day_cap"),
            f"its day's cap {kind.hold.day_cap} is no limit of money",
            "add it to limits.yaml",
        )


def _agents(catalog: Catalog) -> Iterator[Problem]:
    kinds = {kind.kind for kind in catalog.kinds}
    for agent in catalog.agents:
        for kind in sorted(set(agent.proposes) - kinds):
            yield _problem(f"agents/{agent.name}", f"proposes unknown kind {kind}", "add it under actions/")
    proposed = {kind for agent in catalog.agents for kind in agent.proposes}
    for kind in sorted(kinds - proposed):
        yield _problem(f"actions/{kind}.yaml", "no agent proposes it", "name it in an agent's front matter")


def _risk(catalog: Catalog) -> Iterator[Problem]:
    levels = [policy.level for policy in catalog.risk]
    if sorted(levels) != ["L0", "L1", "L2", "L3"]:
        yield _problem("risk.yaml", f"levels are {', '.join(levels)}", "one entry each for L0 to L3")
