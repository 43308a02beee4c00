"""The spine in one process: a refund and a price move from proposal to outcome, and everything that may go wrong."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from steward.agents.core.refunds import propose_refund
from steward.contracts.action import ActionProposal, Principal
from steward.kernel.canonical import digest_hex
from steward.kernel.ids import derived_id
from steward.kernel.instants import DAY, HOUR, WEEK, floor_hour, format_instant, unix_ms

pytestmark = pytest.mark.db

WRITTEN = ("snapshot", "forecast", "proof_bundle", "decision", "action", "event_outbox")


def written(shop):
    return {table: shop.one(f"SELECT count(*) FROM {table}") for table in WRITTEN}


def refunds_asked(shop, make):
    """The refunds of the history, each as the agent proposes it."""
    since, until = make.start - WEEK, make.start + 52 * WEEK
    return [propose_refund(row, row["occurred_at"]) for row in shop.app.state.refunds_between(since, until)]


def one_refund(shop, make, amount=1000, **more):
    """A customer who bought something, asks for `amount` of it back, and the proposal of it."""
    shop.take_in(
        make.order("1", lines=[make.line(total_minor=max(amount, 1))]),
        make.refund("C1", lines=[make.line(total_minor=amount)], **more),
    )
    return refunds_asked(shop, make)[0]


def priced_history(make):
    """Ten weeks of a product whose price moved and whose demand answered, and of another that stands beside it."""
    monday = make.start - 10 * WEEK
    for week in range(10):
        price = [1000, 1050, 980, 1000, 1020][week % 5]
        for n in range(5):
            at = monday + week * WEEK + n * DAY
            units = 20 - (price - 1000) // 10 + (week + n) % 3
            lines = [make.line("MUG", units, units * price), make.line("CUP", 10 + n, (10 + n) * 500)]
            yield make.order(f"{week}{n}", str(n), lines, at)


def propose_price(make, sku, price_minor, at=None):
    at = at or make.start
    key = f"price.set:{sku}:{price_minor}"
    return ActionProposal(
        id=derived_id("act", unix_ms(at), key),
        key=key,
        kind="price.set",
        params={"sku": sku, "price": {"amount_minor": price_minor, "currency": "GBP"}},
        principal=Principal(id="agent:offer-architect"),
        at=at,
    )


@pytest.fixture
def priced(shop, make):
    shop.take_in(*priced_history(make))
    return shop


# End to end


def test_a_refund_from_request_to_outcome(shop, make):
    proposal = one_refund(shop, make)
    acted = shop.app.control.act(proposal)
    assert (acted.action_id, acted.outcome, acted.is_new) == (proposal.id, "shadowed", True)
    assert written(shop) == {**dict.fromkeys(WRITTEN, 1), "forecast": 2, "event_outbox": 4}

    action = shop.app.gateway.action(proposal.id)
    assert (action.key, action.kind, action.risk, action.amount_minor) == (
        "refund.issue:C1",
        "refund.issue",
        "L1",
        1000,
    )
    assert action.result["verb"] == "payments.create_refund"
    assert action.result["request"] == {
        "method": "POST",
        "path": "/v1/refunds",
        "headers": {"Idempotency-Key": "refund.issue:C1", "Content-Type": "application/json"},
        "body": {
            "reference": "C1",
            "amount": 1000,
            "currency": "GBP",
            "customer": "17850",
            "destination": "original_payment",
        },
    }
    proof = shop.app.proofs.of_action(proposal.id)
    assert proof["verdict"] == "ALLOW"
    decision = shop.app.policy.of_action(proposal.id)
    assert (decision["chosen"], decision["propensity"]) == ("propose", "1")
    assert {row["option"] for row in shop.app.world_model.of_action(proposal.id)} == {"propose", "nothing"}

    shop.app.events.sequence()
    told = [event.envelope for event in shop.app.events.read() if event.envelope.correlationid == proposal.id]
    assert [event.type for event in told] == ["ActionProposed", "DecisionMade", "ActionShadowed"]
    assert [event.causationid for event in told] == [None, told[0].id, told[1].id]
    report = shop.app.auditor.verify()
    assert (report.invalid, report.consistent, report.decisions) == ([], True, 1)


def test_a_price_move_is_proved_for_every_price_and_demand(priced, make):
    acted = priced.app.control.act(propose_price(make, "MUG", 1060))
    assert acted.is_new
    action = priced.app.gateway.action(acted.action_id)
    assert (action.outcome, action.risk, action.amount_minor) == ("shadowed", "L1", None)
    proof = priced.app.proofs.of_action(acted.action_id)
    assert proof["verdict"] == "ALLOW"
    assert '"certificates":[{' in proof["bundle"]
    priced.app.events.sequence()
    report = priced.app.auditor.verify()
    assert report.invalid == []
    assert report.certificates > 0


def test_the_agents_own_proposals_go_down_the_same_line(priced, make):
    at = make.start - 2 * HOUR  # Monday at seven, when prices are reviewed
    for proposal in priced.app.agents.proposals(at, at + HOUR):
        assert priced.app.control.act(proposal).is_new
    again = list(priced.app.agents.proposals(at, at + HOUR))
    assert again
    assert not any(priced.app.control.act(proposal).is_new for proposal in again)
    priced.app.events.sequence()
    assert priced.app.auditor.verify().invalid == []


def test_acting_twice_on_a_key_is_one_action(shop, make):
    proposal = one_refund(shop, make)
    first = shop.app.control.act(proposal)
    before = written(shop)
    again = shop.app.control.act(proposal)
    other = proposal.model_copy(update={"id": derived_id("act", 1, "other"), "params": {"amount": "everything"}})
    third = shop.app.control.act(other)
    for acted in (again, third):
        assert (acted.action_id, acted.outcome, acted.is_new) == (first.action_id, "shadowed", False)
    assert written(shop) == before


def test_threads_acting_on_one_key_are_one_action(shop, make):
    proposal = one_refund(shop, make)
    with ThreadPoolExecutor(4) as pool:
        acted = list(pool.map(lambda _i: shop.app.control.act(proposal), range(4)))
    assert sorted(one.is_new for one in acted) == [False, False, False, True]
    assert written(shop)["action"] == 1


# Refused and held


def refused(shop, proposal):
    acted = shop.app.control.act(proposal)
    assert acted.outcome == "refused"
    result = shop.app.gateway.action(acted.action_id).result
    assert result["reason"]
    return result["code"], result["determining"]


def test_a_refund_without_a_purchase_is_refused(shop, make):
    shop.take_in(make.refund("C1"))
    code, determining = refused(shop, refunds_asked(shop, make)[0])
    assert code == "no_captured_payment"
    assert determining[0] == "refund-has-purchase"
    assert shop.app.gateway.refusal_codes() == [{"kind": "refund.issue", "code": "no_captured_payment", "actions": 1}]


def test_a_refund_without_a_customer_is_refused(shop, make):
    shop.take_in(make.order("1", None), make.refund("C1", None))
    assert refused(shop, refunds_asked(shop, make)[0])[0] == "no_captured_payment"


def test_more_than_was_paid_is_refused(shop, make):
    shop.take_in(make.order("1"), make.refund("C1", lines=[make.line(total_minor=1001)]))
    assert refused(shop, refunds_asked(shop, make)[0]) == ("over_captured", ["refund-within-captured"])


def test_the_same_goods_do_not_go_back_twice(shop, make):
    shop.take_in(make.order("1"), make.refund("C1"), make.refund("C2", at=make.start + 2 * DAY))
    first, second = refunds_asked(shop, make)
    assert shop.app.control.act(first).outcome == "shadowed"
    assert refused(shop, second)[0] == "no_captured_payment"


def test_money_to_another_account_is_refused(shop, make):
    proposal = one_refund(shop, make)
    params = {**proposal.params, "to": "GB33BUKB20201555555555"}
    assert refused(shop, proposal.model_copy(update={"params": params})) == ("not_to_source", ["refund-to-source"])


def test_a_fourth_refund_in_the_window_is_refused(shop, make):
    shop.take_in(
        make.order("1", lines=[make.line(quantity=9, total_minor=9000)]),
        *(make.refund(f"C{n}", at=make.start + n * DAY) for n in range(1, 5)),
    )
    outcomes = [shop.app.control.act(proposal).outcome for proposal in refunds_asked(shop, make)]
    assert outcomes == ["shadowed", "shadowed", "shadowed", "refused"]
    assert shop.app.gateway.refusal_codes()[0]["code"] == "too_many_refunds"


def test_a_jump_in_price_is_refused(priced, make):
    assert refused(priced, propose_price(make, "MUG", 1300)) == ("price_jump", ["price-within-move"])


def test_a_price_below_the_margin_is_refused_with_a_counterexample(make_shop, catalog, make):
    limits = tuple(
        limit.model_copy(update={"value": "0.60"}) if limit.name == "margin_floor" else limit
        for limit in catalog.limits
    )
    shop = make_shop(replace(catalog, limits=limits))
    shop.take_in(*priced_history(make))
    proposal = propose_price(make, "MUG", 1010)
    assert refused(shop, proposal) == ("margin_below_floor", ["margin-floor"])
    assert shop.app.proofs.of_action(proposal.id)["answer"]["counterexample"]


def test_a_kind_nobody_knows_is_refused_and_told(shop, make):
    proposal = one_refund(shop, make).model_copy(update={"kind": "bank.empty"})
    code, determining = refused(shop, proposal)
    assert code == determining[0]
    assert shop.app.gateway.action(proposal.id).risk == "L3"
    shop.app.events.sequence()
    assert shop.app.auditor.verify().invalid == []


@pytest.mark.parametrize(
    ("amount", "risk", "approver"), [(10000, "L1", None), (10001, "L2", "manager"), (200001, "L3", "founder")]
)
def test_the_amount_decides_who_is_asked(shop, make, amount, risk, approver):
    proposal = one_refund(shop, make, amount)
    acted = shop.app.control.act(proposal)
    action = shop.app.gateway.action(acted.action_id)
    assert action.risk == risk
    assert action.outcome == ("held" if approver else "shadowed")
    assert action.result.get("approver") == approver
    if approver:
        assert action.result["expires_at"] == format_instant(proposal.at + DAY)
    shop.app.events.sequence()
    assert shop.app.auditor.verify().invalid == []


def test_a_product_without_a_model_is_held_for_a_person(priced, make):
    priced.take_in(make.order("new", lines=[make.line("NEW", 1, 700)], at=make.start - DAY))
    acted = priced.app.control.act(propose_price(make, "NEW", 710))
    action = priced.app.gateway.action(acted.action_id)
    assert (action.outcome, action.result["approver"]) == ("held", "manager")
    assert priced.app.proofs.of_action(acted.action_id)["verdict"] == "ESCALATE"


# Evidence


def judged(shop, proposal):
    """Everything the gate is given, made as the spine makes it."""
    app = shop.app
    app.gateway.take_turn(proposal.kind)
    snapshot = app.state.snapshot(floor_hour(proposal.at))
    options = app.policy.options(proposal)
    forecasts = app.world_model.forecast(proposal, options, snapshot)
    facts = app.control._facts(proposal, snapshot, forecasts)
    verdict = app.verifier.certify(proposal.document(), facts, format_instant(proposal.at))
    decision = app.policy.decide(proposal, options, verdict, forecasts, snapshot)
    return decision, verdict, facts, snapshot


def signed(bundle):
    """The bundle with every digest computed again: what a forger who knows the format would hand in."""
    for obligation, certificate in zip(bundle["obligations"], bundle["certificates"], strict=True):
        obligation["digest"] = digest_hex({k: v for k, v in obligation.items() if k != "digest"})
        certificate["obligation_digest"] = obligation["digest"]
    bundle["digest"] = digest_hex({k: v for k, v in bundle.items() if k != "digest"})
    return bundle


def first_leaf(tree):
    if tree[0] == "F":
        return tree[1]
    branches = tree[2] if tree[0] == "S" else tree[3:]
    return next(leaf for branch in branches if (leaf := first_leaf(branch)))


def other_multiplier(bundle):
    leaf = first_leaf(bundle["certificates"][0]["tree"])
    leaf[0][-1] = "2/3" if leaf[0][-1] != "2/3" else "3/4"


def no_multiplier(bundle):
    first_leaf(bundle["certificates"][0]["tree"]).pop()


def other_fact(bundle):
    bundle["facts"]["cost.unit"]["amount_minor"] -= 1


def missing_fact(bundle):
    del bundle["facts"]["demand"]


def other_limit(bundle):
    bundle["facts"]["limit.price_move"] = "0.99"


def other_price(bundle):
    bundle["action"]["params"]["price"]["amount_minor"] += 1


def other_proposer(bundle):
    bundle["action"]["principal"]["roles"] = ["founder"]


def other_verdict(bundle):
    bundle["verdict"] = "ESCALATE"


def other_finding(bundle):
    bundle["findings"][0]["status"] = "skipped"


def no_finding(bundle):
    bundle["findings"].pop()


def no_proof(bundle):
    bundle["obligations"], bundle["certificates"] = [], []


def easier_obligation(bundle):
    """A goal that is true of anything: the certificate checks, and it is not what the catalog demands."""
    bundle["obligations"][0].update(hypotheses=[], goal=["and"])
    bundle["certificates"][0]["tree"] = ["S", 0, []]


def other_catalog(bundle):
    bundle["catalog_digest"] = "0" * 64


FORGERIES = [
    other_multiplier,
    no_multiplier,
    other_fact,
    missing_fact,
    other_limit,
    other_price,
    other_proposer,
    other_verdict,
    other_finding,
    no_finding,
    no_proof,
    easier_obligation,
    other_catalog,
]


def executed(shop, proposal, decision, verdict, facts, snapshot):
    outcome, _, _ = shop.app.gateway.execute(proposal, decision, verdict, facts, snapshot)
    return outcome


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_forged_evidence_is_refused_at_the_gate(priced, fresh, make, forge):
    proposal = propose_price(make, "MUG", 1060)
    with fresh.app.rolled_back():
        decision, verdict, facts, snapshot = judged(priced, proposal)
        assert verdict.verdict == "ALLOW"
        assert verdict.bundle["certificates"]
        for sign in (lambda bundle: bundle, signed):
            bundle = copy.deepcopy(verdict.bundle)
            forge(bundle)
            forged = verdict.model_copy(update={"bundle": sign(bundle)})
            with fresh.app.transaction() as connection, connection.transaction(force_rollback=True):
                outcome = executed(priced, proposal, decision, forged, facts, snapshot)
            assert (outcome.outcome, outcome.code) == ("refused", "bad_certificate"), sign
            assert outcome.reason
        assert executed(priced, proposal, decision, verdict, facts, snapshot).outcome == "shadowed"


def test_facts_that_moved_since_the_proof_are_refused(priced, fresh, make):
    proposal = propose_price(make, "MUG", 1060)
    with fresh.app.rolled_back():
        decision, verdict, facts, snapshot = judged(priced, proposal)
        moved = {**facts, "demand": {"low": 0, "high": 10**6}}
        outcome = executed(priced, proposal, decision, verdict, moved, snapshot)
    assert (outcome.outcome, outcome.code) == ("refused", "bad_certificate")
    assert "demand" in outcome.reason


def test_evidence_of_another_action_is_refused(priced, fresh, make):
    with fresh.app.rolled_back():
        decision, verdict, facts, snapshot = judged(priced, propose_price(make, "MUG", 1060))
        other = propose_price(make, "MUG", 1061)
        outcome = executed(priced, other, decision, verdict, facts, snapshot)
    assert (outcome.outcome, outcome.code) == ("refused", "bad_certificate")


def test_a_denied_refund_with_a_bundle_that_says_allow_is_refused(shop, fresh, make):
    shop.take_in(make.refund("C1"))
    proposal = refunds_asked(shop, make)[0]
    with fresh.app.rolled_back():
        decision, verdict, facts, snapshot = judged(shop, proposal)
        assert verdict.verdict == "DENY"
        bundle = copy.deepcopy(verdict.bundle)
        bundle["verdict"] = "ALLOW"
        for finding in bundle["findings"]:
            finding["status"] = "holds"
        forged = verdict.model_copy(
            update={"verdict": "ALLOW", "bundle": signed(bundle), "determining": (), "errored": ()}
        )
        outcome = executed(shop, proposal, decision, forged, facts, snapshot)
    assert (outcome.outcome, outcome.code) == ("refused", "bad_certificate")


# The daily cap


@pytest.fixture
def capped(make_shop, catalog, make):
    """A shop whose day bears 150.00 of refunds, and two customers who each ask for 90.00 in the same minute."""
    limits = tuple(
        limit.model_copy(update={"value": {"amount_minor": 15000, "currency": "GBP"}})
        if limit.name == "refund_day"
        else limit
        for limit in catalog.limits
    )
    shop = make_shop(replace(catalog, limits=limits))
    at = make.start + DAY + timedelta(minutes=30)
    lines = [make.line(total_minor=9000)]
    shop.take_in(
        make.order("1", "1", lines),
        make.order("2", "2", lines),
        make.refund("C1", "1", lines, at=at),
        make.refund("C2", "2", lines, at=at),
    )
    return shop, refunds_asked(shop, make)


def test_two_threads_do_not_break_the_daily_cap(capped, monkeypatch):
    shop, proposals = capped
    shop.app.state.snapshot(floor_hour(proposals[0].at))  # taking it would keep the other out by itself
    control = type(shop.app.control)
    read, met = control._facts, threading.Barrier(2)

    def read_and_wait(*arguments):
        """With its facts in hand, each waits for the other; where one keeps the other out, that is in vain."""
        found = read(*arguments)
        with suppress(threading.BrokenBarrierError):
            met.wait(timeout=1)
        return found

    monkeypatch.setattr(control, "_facts", read_and_wait)
    with ThreadPoolExecutor(2) as pool:
        acted = list(pool.map(shop.app.control.act, proposals))
    assert met.broken, "two refunds were between their facts and their outcome"
    assert sorted(one.outcome for one in acted) == ["refused", "shadowed"]
    assert shop.app.gateway.refusal_codes() == [{"kind": "refund.issue", "code": "daily_cap", "actions": 1}]
    shop.app.events.sequence()
    assert shop.app.auditor.verify().invalid == []


def test_a_refused_refund_leaves_its_room_to_the_next(capped, make):
    shop, proposals = capped
    elsewhere = {**proposals[0].params, "to": "elsewhere"}
    assert refused(shop, proposals[0].model_copy(update={"params": elsewhere}))[0] == "not_to_source"
    assert shop.app.control.act(proposals[1]).outcome == "shadowed"


# Exceptions


@pytest.mark.parametrize(
    ("door", "name"),
    [
        ("world_model", "forecast"),
        ("verifier", "certify"),
        ("policy", "decide"),
        ("gateway", "execute"),
        ("world_model", "record"),
        ("proofs", "record"),
        ("policy", "record"),
        ("events", "put"),
    ],
)
def test_an_exception_anywhere_leaves_nothing_at_all(shop, make, monkeypatch, door, name):
    proposal = one_refund(shop, make)
    before = written(shop)
    assert not any(before.values())

    def fail(*_arguments):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(getattr(shop.app, door), name, fail)
        with pytest.raises(ZeroDivisionError):
            shop.app.control.act(proposal)
    assert written(shop) == before
    assert shop.app.control.act(proposal).is_new  # and the key is still free
    assert written(shop)["action"] == 1


def test_an_exception_after_everything_was_written_leaves_nothing_at_all(shop, make, monkeypatch):
    proposal = one_refund(shop, make)
    put = shop.app.events.put

    def fail_afterwards(envelopes):
        put(envelopes)
        if envelopes[0].type == "ActionProposed":
            assert shop.app.gateway.known(proposal.key) is not None
            raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(shop.app.events, "put", fail_afterwards)
        with pytest.raises(ZeroDivisionError):
            shop.app.control.act(proposal)
    assert not any(written(shop).values())
