import re
from dataclasses import replace

import pytest

from steward.catalog import check_links, check_rules, load_catalog, read_yaml_folder
from steward.checking import OFFERED, build_verifier, check_catalog
from steward.contracts.base import Contract
from steward.infra.sql import load
from steward.kernel.errors import CatalogError

CATALOG = load_catalog()


def edited(item: Contract, **changes):
    return item.model_copy(update=changes)


def test_the_shipped_catalog_is_sound():
    found = check_catalog()
    assert found["errors"] == []
    counts = found["counts"]
    assert counts["invariants"] >= 48
    assert counts["kinds"] >= 22
    assert counts["kinds_with_effect"] == counts["kinds"]
    assert counts["over_interval"] >= 8
    assert counts["over_any_subset"] >= 4


BROKEN = {
    "an event without a model": (
        replace(CATALOG, events=(*CATALOG.events, edited(CATALOG.events[0], type="Nope"))),
        "Nope",
    ),
    "a model without an event": (replace(CATALOG, events=CATALOG.events[1:]), CATALOG.events[0].type),
    "a money event without a rule": (replace(CATALOG, postings=()), "no posting rule"),
    "an event twice": (replace(CATALOG, events=(*CATALOG.events, CATALOG.events[0])), "twice"),
    "an unknown verb": (replace(CATALOG, ports=()), "is in no port"),
    "an unknown limit": (replace(CATALOG, limits=()), "does not exist"),
    "a kind nobody proposes": (replace(CATALOG, agents=()), "no agent proposes"),
    "an agent of an unknown kind": (replace(CATALOG, kinds=()), "unknown kind"),
    "a missing risk level": (replace(CATALOG, risk=CATALOG.risk[1:]), "levels are"),
    "exploration that cannot be undone": (
        replace(CATALOG, kinds=tuple(edited(kind, exploration="1/50", reversible=False) for kind in CATALOG.kinds)),
        "not reversible",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_link_is_found(name):
    catalog, what = BROKEN[name]
    assert any(what in problem["what"] for problem in check_links(catalog))


@pytest.fixture(scope="module")
def reads():
    with build_verifier(CATALOG) as verifier:
        return {kind.kind: frozenset(verifier.facts_read(kind.kind)) for kind in CATALOG.kinds}


def with_kind(**changes):
    """The catalog with its first kind changed."""
    return replace(CATALOG, kinds=(edited(CATALOG.kinds[0], **changes), *CATALOG.kinds[1:]))


def with_rule(**changes):
    """The catalog with the first rule of its first file changed."""
    name, document = CATALOG.invariants[0]
    rules = [{**document["invariants"][0], **changes}, *document["invariants"][1:]]
    return replace(CATALOG, invariants=((name, {**document, "invariants": rules}), *CATALOG.invariants[1:]))


FIRST, REFUND = CATALOG.kinds[0], CATALOG.kind("refund.issue")
UNRULY = {
    "a fact nobody offers": (with_kind(facts={**FIRST.facts, "no.such": "state"}), "state offers no fact no.such"),
    "a fact without an owner": (with_kind(facts={}), "no owner is named"),
    "a fact no rule reads": (with_kind(facts={**FIRST.facts, "order.total": "state"}), "no rule on it reads order.total"),
    "a fact of another owner": (with_kind(facts={**FIRST.facts, "order.total": "ledger"}), "ledger offers no fact"),
    "a kind without rules": (with_kind(kind="no.such"), "no rule covers it"),
    "no effect and no reason": (with_kind(effect={}), "says no effect and not why"),
    "an effect and a reason for none": (with_kind(no_effect="it does nothing"), "says both"),
    "nobody approves": (with_kind(approvals=0), "approved by nobody"),
    "an amount that is none": (with_kind(amount="campaign_id"), "is no parameter of money"),
    "steps without an amount": (with_kind(amount=None, risk_steps=REFUND.risk_steps), "steps of risk and no amount"),
    "a request for more than there is": (with_kind(params={}), "which it does not have"),
    "an approver who may not": (replace(CATALOG, roles=CATALOG.roles[:1]), "founder may not approve"),
    "a limit that nobody owns": (replace(CATALOG, limits=(edited(CATALOG.limits[0], owner="nobody"),)), "owned by nobody"),
    "a rule that nobody owns": (with_rule(owner="nobody"), "owned by nobody"),
    "a role that nobody has": (with_rule(require='"king" in principal.roles'), "a role king"),
    "an agent that approves": (replace(CATALOG, agents=(edited(CATALOG.agents[0], name="founder"),)), "name of a role"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNRULY)
def test_a_broken_rule_is_found(name, reads):
    catalog, what = UNRULY[name]
    assert any(what in problem["what"] for problem in check_rules(catalog, reads, OFFERED))


def test_every_fact_that_is_offered_is_declared():
    declared = {fact.name for _, file in CATALOG.rule_files for fact in file.facts}
    assert set().union(*OFFERED.values()) - declared == set()


def test_every_query_of_a_fact_gets_its_parameters():
    queries = load("steward.state", "facts.sql")
    given = {"at", "position", "currency", "params", "party", *(limit.name for limit in CATALOG.limits)}
    for kind in CATALOG.kinds:
        for name, owner in kind.facts.items():
            query = name.replace(".", "_", 1)
            if owner == "state" and query in queries.names():
                wanted = set(re.findall(r"%\((\w+)\)s", queries[query]))
                assert wanted <= given | set(kind.params), (kind.kind, name)


@pytest.mark.parametrize(
    ("text", "what"),
    [("a: 0.5", "line 1"), ("a: 1\na: 2", "line 2"), ("a: [", "line"), ("- 1", "not a mapping"), ("a: .inf", "line 1")],
)
def test_yaml_that_is_not_exact_is_refused_with_its_file(tmp_path, text, what):
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=what) as caught:
        read_yaml_folder(tmp_path)
    assert "bad.yaml" in str(caught.value)


def test_the_digest_changes_with_any_limit():
    other = replace(CATALOG, limits=(edited(CATALOG.limits[0], value=1), *CATALOG.limits[1:]))
    assert other.digest != CATALOG.digest


def test_an_unknown_limit_says_so():
    with pytest.raises(CatalogError, match="nope"):
        CATALOG.limit("nope")
