"""Every certificate the demo stored: change one multiplier, one hypothesis or the goal, and the checker refuses."""

import copy
import hashlib
import json

import pytest

from steward.cli.rules import read_json, shipped_theorems
from steward.verifier import check_bundle as checked_with
from steward.verifier import checked_theorems

pytestmark = [pytest.mark.db, pytest.mark.slow]


KNOWN = checked_theorems(read_json(shipped_theorems()))


def check_bundle(bundle):
    """With the theorems that bundles of the shipped catalog name: what is refused here is refused for the change."""
    return checked_with(bundle, KNOWN)


def digest_of(value) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def bundles(demo):
    from steward.bootstrap import open_app

    shop, _ = demo
    found = []
    with pytest.MonkeyPatch.context() as environment:
        for name, value in shop.env.items():
            if name.startswith("STEWARD_"):
                environment.setenv(name, value)
        with open_app() as app:
            for kind in ("price.set", "refund.issue"):
                for action in app.gateway.actions(kind, "shadowed", 12, 0):
                    bundle = json.loads(app.proofs.of_action(action.id)["bundle"])
                    if bundle["certificates"]:
                        found.append(bundle)
    assert found
    return found


def leaves(value, path=()):
    """Paths of every number-like text inside a JSON value."""
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, (*path, i))
    elif isinstance(value, str) and value.lstrip("-").replace("/", "").isdigit():
        yield path


def bumped(value, path):
    changed = copy.deepcopy(value)
    place = changed
    for step in path[:-1]:
        place = place[step]
    number = place[path[-1]]
    place[path[-1]] = f"{int(number.split('/')[0]) + 1}" + ("/" + number.split("/")[1] if "/" in number else "")
    return changed


def resealed(bundle):
    """What a forger who recomputes every digest would hand in."""
    sealed = copy.deepcopy(bundle)
    names = {}
    for obligation in sealed["obligations"]:
        old = obligation.pop("digest")
        obligation["digest"] = digest_of(obligation)
        names[old] = obligation["digest"]
    for certificate in sealed["certificates"]:
        certificate["obligation_digest"] = names.get(certificate["obligation_digest"], certificate["obligation_digest"])
    sealed.pop("digest")
    sealed["digest"] = digest_of(sealed)
    return sealed


def test_as_stored_they_are_valid_and_sealed_as_this_test_seals(bundles):
    for bundle in bundles:
        assert check_bundle(bundle) == (True, "")
        assert resealed(bundle) == bundle


def test_any_changed_multiplier_is_refused_even_with_digests_recomputed(bundles):
    tried = 0
    for bundle in bundles:
        for i, certificate in enumerate(bundle["certificates"]):
            for path in leaves(certificate["tree"]):
                changed = copy.deepcopy(bundle)
                changed["certificates"][i]["tree"] = bumped(certificate["tree"], path)
                tried += 1
                assert not check_bundle(changed)[0], path
                assert not check_bundle(resealed(changed))[0], path
    assert tried >= len(bundles)


@pytest.mark.parametrize("part", ["hypotheses", "goal"])
def test_any_changed_hypothesis_or_goal_is_refused(bundles, part):
    tried = 0
    for bundle in bundles:
        for i, obligation in enumerate(bundle["obligations"]):
            for path in leaves(obligation[part]):
                changed = copy.deepcopy(bundle)
                changed["obligations"][i][part] = bumped(obligation[part], path)
                tried += 1
                valid, reason = check_bundle(changed)
                assert not valid, path
                assert reason
    assert tried >= len(bundles)


def test_a_resealed_change_is_refused_by_whoever_rebuilds(bundles):
    """A forger can seal another theorem; the gate and the audit rebuild the obligations and see that it is another."""
    from steward.catalog import load_catalog
    from steward.checking import build_verifier

    verifier = build_verifier(load_catalog())
    try:
        for bundle in bundles:
            assert verifier.rebuild(bundle).valid
            for i, obligation in enumerate(bundle["obligations"]):
                for part in ("hypotheses", "goal"):
                    for path in leaves(obligation[part]):
                        changed = copy.deepcopy(bundle)
                        changed["obligations"][i][part] = bumped(obligation[part], path)
                        assert not verifier.rebuild(resealed(changed)).valid, path
    finally:
        verifier.close()
