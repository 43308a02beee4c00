"""What is asked of a catalog before anything runs under it: its verifier, whether it is at least as strict as another,
and every link, posting rule and invariant of it. No database.
"""

from __future__ import annotations

from importlib.resources import files

from steward import ledger, reconciliation, state, world_model
from steward.catalog import (
    Catalog,
    Problem,
    ToolBook,
    catalog_of,
    check_links,
    check_rules,
    check_schedules,
    counts,
    load_catalog,
    load_contracts,
    load_recon,
)
from steward.contracts.payloads import PAYLOADS
from steward.gateway import Gateway, Workbench
from steward.infra.settings import load_settings
from steward.kernel.canonical import JsonObject, parse_json
from steward.kernel.errors import CatalogError
from steward.ledger import prove_rules
from steward.verifier import Verifier

OFFERED = {
    "state": state.FACTS,
    "gateway": Gateway.offers,
    "ledger": ledger.FACTS,
    "reconciliation": reconciliation.FACTS,
    "world_model": world_model.FACTS,
}
"""The facts each door answers."""


def build_verifier(catalog: Catalog) -> Verifier:
    """The verifier over the shipped invariants and limits."""
    book = files("steward.catalog") / "theorems.json"
    theorems = parse_json(book.read_text(encoding="utf-8")) if book.is_file() else None
    return Verifier.from_documents(catalog.documents, catalog.limit_facts(), book=theorems)


def refined(before: JsonObject, now: JsonObject) -> list[JsonObject]:
    """Rule by rule, whether one catalog document is at least as strict as an earlier one: {kind, rule, holds, ...}."""
    with build_verifier(catalog_of(before)) as old, build_verifier(catalog_of(now)) as new:
        new.warm()
        return new.refines(old)


def _kept(catalog: Catalog, name: str) -> JsonObject | None:
    """What was worked out about a catalog and lies beside it; None where nothing does."""
    file = (catalog.root or files("steward.catalog")) / name
    return parse_json(file.read_text(encoding="utf-8")) if file.is_file() else None


def check_catalog() -> JsonObject:
    """Every link, every posting rule for all amounts, every invariant on its own examples; no database."""
    catalog = load_catalog(load_settings().catalog)
    errors: list[Problem] = [*check_links(catalog), *check_schedules(catalog)]
    book = ToolBook(catalog.root)
    errors += Workbench.tool_problems(book, book.names())
    errors += Workbench.route_problems(book, catalog.routes, catalog.ports)
    codes = {account.code for account in catalog.chart}
    for event, rules in catalog.rules_by_event().items():
        errors += [
            {"where": f"postings.yaml {problem.event}", "what": problem.what, "fix": "mend the rule"}
            for problem in (prove_rules(rules, PAYLOADS[event], codes) if event in PAYLOADS else ())
        ]
    errors += _recon_problems(catalog, codes)
    errors += _contract_problems(catalog, codes)
    verifier = build_verifier(catalog)
    try:
        errors += verifier.self_test()
        reads = {kind.kind: frozenset(verifier.facts_read(kind.kind)) for kind in catalog.kinds}
        errors += check_rules(catalog, reads, OFFERED)
        invariants = verifier.invariant_ids()
        warnings = verifier.warnings(_kept(catalog, "dead_rules.json"))
    finally:
        verifier.close()
    totals = {
        "invariants": len(invariants),
        "kinds": len(catalog.kinds),
        "events": len(catalog.events),
        "posting_rules": len(catalog.postings),
        "accounts": len(catalog.chart),
        "limits": len(catalog.limits),
        "agents": len(catalog.agents),
        "ports": len(catalog.ports),
        **counts(catalog),
    }
    return {"errors": errors, "warnings": warnings, "counts": totals, "digest": catalog.digest}


def _contract_problems(catalog: Catalog, codes: set[str]) -> list[Problem]:
    """Contracts that do not fit, and services that are booked to an account the chart does not have."""
    try:
        book = load_contracts(catalog.root)
    except CatalogError as error:
        return [{"where": error.where or "contracts.yaml", "what": error.what, "fix": error.fix or "mend the file"}]
    return [
        {"where": f"contracts.yaml {one.name}", "what": f"{terms.account} is no account", "fix": "see accounts.yaml"}
        for one in book.contracts
        for terms in one.services
        if terms.account not in codes
    ]


def _recon_problems(catalog: Catalog, codes: set[str]) -> list[Problem]:
    """Resolutions of breaks that name an account the chart does not have."""
    try:
        terms = load_recon(catalog.root)
    except CatalogError as error:
        return [
            {"where": error.where or "reconciliation.yaml", "what": error.what, "fix": error.fix or "mend the file"}
        ]
    return [
        {"where": "reconciliation.yaml", "what": f"{rule.against} is no account", "fix": "see accounts.yaml"}
        for rule in terms.resolutions
        if rule.against.replace("{provider}", "{processor}") not in codes
    ]
