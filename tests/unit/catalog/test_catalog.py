from dataclasses import replace

import pytest

from steward.bootstrap import check_catalog
from steward.catalog import check_links, load_catalog, read_yaml_folder
from steward.contracts.base import Contract
from steward.kernel.errors import CatalogError

CATALOG = load_catalog()


def edited(item: Contract, **changes):
    return item.model_copy(update=changes)


def test_the_shipped_catalog_is_sound():
    found = check_catalog()
    assert found["errors"] == []
    assert found["counts"]["invariants"] >= 6


BROKEN = {
    "an event without a model": (
        replace(CATALOG, events=(*CATALOG.events, edited(CATALOG.events[0], type="Nope"))),
        "Nope",
    ),
    "a model without an event": (replace(CATALOG, events=CATALOG.events[1:]), CATALOG.events[0].type),
    "a money event without a rule": (replace(CATALOG, postings=()), "no posting rule"),
    "an event twice": (replace(CATALOG, events=(*CATALOG.events, CATALOG.events[0])), "twice"),
    "an unknown verb": (replace(CATALOG, tools=()), "is in no tool"),
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
