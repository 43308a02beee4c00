"""The official Stripe SDK against the face, unchanged; keys, faults, pages, webhooks, and the published description."""

import json
import os
import threading
from pathlib import Path

import httpx
import jsonschema
import pytest
import referencing
import stripe
import yaml

DAY = 86400


def fresh_charge(shop, least=1000):
    """A charge that nobody touched yet."""
    for charge in shop.stripe.charges.list({"limit": 100}).auto_paging_iter():
        if (
            charge.status == "succeeded"
            and not charge.amount_refunded
            and not charge.disputed
            and charge.amount > least
        ):
            return charge
    raise AssertionError("no charge is left")


def test_pages_meet_without_gap_or_overlap(shop):
    whole = [c.id for c in shop.stripe.balance_transactions.list({"limit": 100}).auto_paging_iter()]
    assert len(whole) == len(set(whole)) > 300
    assert [c.id for c in shop.stripe.balance_transactions.list({"limit": 7}).data] == whole[:7]
    back = shop.stripe.balance_transactions.list({"limit": 5, "ending_before": whole[9]})
    assert [c.id for c in back.data] == whole[4:9]
    assert back.has_more
    last = shop.stripe.balance_transactions.list({"limit": 3, "starting_after": whole[-3]})
    assert [c.id for c in last.data] == whole[-2:]
    assert not last.has_more
    born = shop.stripe.balance_transactions.retrieve(whole[5]).created
    some = shop.stripe.balance_transactions.list({"limit": 100, "created": {"gt": born}})
    assert [c.id for c in some.data] == whole[: len(some.data)]
    assert all(c.created > born for c in some.data)


def test_objects_point_at_each_other(shop):
    charge = shop.stripe.charges.list({"limit": 1, "expand": ["data.payment_intent", "data.balance_transaction"]}).data[
        0
    ]
    assert charge.payment_intent.latest_charge == charge.id
    customer = shop.stripe.customers.retrieve(charge.customer)
    assert charge.id in {
        c.id for c in shop.stripe.charges.list({"customer": customer.id, "limit": 100}).auto_paging_iter()
    }
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.stripe.charges.list({"expand": ["data.nothing"]})


def test_the_balance_is_the_sum_of_its_transactions(shop):
    balance = shop.stripe.balance.retrieve()
    total = sum(t.net for t in shop.stripe.balance_transactions.list({"limit": 100}).auto_paging_iter())
    assert balance.available[0].amount + balance.pending[0].amount == total


def test_a_payout_is_the_sum_of_its_transactions(shop):
    payout = shop.stripe.payouts.list({"limit": 1}).data[0]
    lines = list(shop.stripe.balance_transactions.list({"payout": payout.id, "limit": 100}).auto_paging_iter())
    assert sum(line.net for line in lines if line.type != "payout") == payout.amount
    assert [line.amount for line in lines if line.type == "payout"] == [-payout.amount]


def test_one_key_one_refund(shop):
    charge = fresh_charge(shop)
    options = {"idempotency_key": f"once-{charge.id}"}
    first = shop.stripe.refunds.create({"charge": charge.id, "amount": 300, "metadata": {"why": "late"}}, options)
    again = shop.stripe.refunds.create({"charge": charge.id, "amount": 300, "metadata": {"why": "late"}}, options)
    assert first.id == again.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert shop.stripe.charges.retrieve(charge.id).amount_refunded == 300
    assert first.metadata["why"] == "late"
    with pytest.raises(stripe.IdempotencyError) as refused:
        shop.stripe.refunds.create({"charge": charge.id, "amount": 301, "metadata": {"why": "late"}}, options)
    assert refused.value.http_status == 400
    assert shop.stripe.charges.retrieve(charge.id).amount_refunded == 300
    shop.go(DAY + 1)  # the key is forgotten
    later = shop.stripe.refunds.create({"charge": charge.id, "amount": 300, "metadata": {"why": "late"}}, options)
    assert later.id != first.id
    assert shop.stripe.charges.retrieve(charge.id).amount_refunded == 600


def test_two_calls_with_one_key_at_once(shop):
    """The slow one is still at work when the other comes: that one is told so, and only one refund is made."""
    charge = fresh_charge(shop)
    shop.fault("latency", "stripe", path="/v1/refunds", milliseconds=700)
    headers, form = {"idempotency-key": f"both-{charge.id}"}, {"charge": charge.id, "amount": "200"}
    answers = []
    calls = [
        threading.Thread(target=lambda: answers.append(shop.plain.post("/v1/refunds", data=form, headers=headers)))
        for _ in range(2)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert sorted(a.status_code for a in answers) == [200, 409]
    busy = next(a for a in answers if a.status_code == 409)
    assert busy.json()["error"]["type"] == "idempotency_error"
    assert shop.stripe.charges.retrieve(charge.id).amount_refunded == 200


def test_a_lost_reply_happened_all_the_same(shop):
    charge = fresh_charge(shop)
    options = {"idempotency_key": f"lost-{charge.id}"}
    shop.fault("lose_reply", "stripe", path="/v1/refunds")
    with pytest.raises(stripe.APIConnectionError):
        shop.stripe.refunds.create({"charge": charge.id, "amount": 250}, options)
    assert shop.stripe.charges.retrieve(charge.id).amount_refunded == 250
    told = shop.stripe.refunds.create({"charge": charge.id, "amount": 250}, options)
    assert told.amount == 250
    assert shop.stripe.charges.retrieve(charge.id).amount_refunded == 250


def test_outage_limit_and_strangers(shop):
    shop.fault("outage", "stripe")
    assert shop.plain.get("/v1/balance").status_code == 503
    shop.fault("rate_limit", "stripe", retry_after=7)
    limited = shop.plain.get("/v1/balance")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert shop.plain.get("/v1/balance").status_code == 200
    shop.fault("rate_limit", "stripe")
    with pytest.raises(stripe.RateLimitError):
        shop.stripe.balance.retrieve()
    assert httpx.get(f"{shop.faces['stripe']['url']}/v1/balance", trust_env=False).status_code == 401
    with pytest.raises(stripe.InvalidRequestError) as missing:
        shop.stripe.charges.retrieve("ch_nothing")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert shop.plain.get("/v1/truth").status_code == 404
    assert shop.plain.get("/_livemarket/run").status_code == 404  # the control face is elsewhere


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": 10**9}, None),
        ({"amount": "x"}, "parameter_invalid_integer"),
        ({"reason": "because"}, None),
        ({"nonsense": "1"}, "parameter_unknown"),
        ({"charge": "ch_lm00000000000000000000"}, "resource_missing"),
    ],
)
def test_wrong_refunds_are_refused_and_change_nothing(shop, change, code):
    charge = fresh_charge(shop)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.stripe.refunds.create({"charge": charge.id, "amount": 100} | change)
    assert code is None or refused.value.code == code
    assert shop.stripe.charges.retrieve(charge.id).amount_refunded == 0


def test_a_dispute_is_answered_or_given_up(shop):
    open_cases = [
        d for d in shop.stripe.disputes.list({"limit": 100}).auto_paging_iter() if d.status == "needs_response"
    ]
    assert open_cases
    now = shop.control.get("/_livemarket/clock").json()["unix"]
    timely = [d for d in open_cases if d.evidence_details.due_by > now]
    if timely:
        answered = shop.stripe.disputes.update(
            timely[0].id, {"evidence": {"shipping_tracking_number": "trk"}, "submit": True}
        )
        assert answered.status == "under_review"
        assert answered.evidence.shipping_tracking_number == "trk"
        assert answered.evidence_details.submission_count == 1
    lost = shop.stripe.disputes.close(open_cases[-1].id)
    assert lost.status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        shop.stripe.disputes.close(open_cases[-1].id)


def test_webhooks_are_signed_tried_again_doubled_and_shuffled(shop, listener):
    made = shop.stripe.webhook_endpoints.create(
        {"url": listener.url, "enabled_events": ["refund.created", "charge.refunded"]}
    )
    try:
        charge = fresh_charge(shop)
        listener.answers[:] = [500]
        refund = shop.stripe.refunds.create({"charge": charge.id, "amount": 120})
        got = listener.until(lambda g: len(g) == 2)
        for headers, body, _ in got:
            event = stripe.Webhook.construct_event(body, headers["stripe-signature"], made.secret)
            assert event.type in {"refund.created", "charge.refunded"}
        assert json.loads(got[0][1])["data"]["object"]["id"] == refund.id
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body + b" ", headers["stripe-signature"], made.secret)
        shop.go(61)  # the first pause is a minute of the business
        got = listener.until(lambda g: len(g) == 3)
        assert got[2][1] == got[0][1]
        shop.fault("duplicate", "stripe")
        shop.fault("disorder", "stripe")
        shop.stripe.refunds.create({"charge": charge.id, "amount": 130})
        kinds = [json.loads(body)["type"] for _, body, _ in listener.until(lambda g: len(g) == 6)[3:]]
        assert kinds == ["charge.refunded", "refund.created", "refund.created"]
        log = shop.control.get("/_livemarket/deliveries").json()["deliveries"]
        assert [t["said"] for t in log[0]["tries"]] == ["500", "200"]
    finally:
        shop.stripe.webhook_endpoints.delete(made.id)


# ---- the published description -----------------------------------------------------------------------------------


class Described:
    """The official schemas, read one by one from the text: parsing it whole takes longer than all tests."""

    def __init__(self, path):
        self.blocks, name, inside = {}, None, False
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.startswith("  ") and not line.startswith("   "):
                inside = line.strip() == "schemas:"
            if inside and line.startswith("    ") and not line.startswith("     ") and line.rstrip().endswith(":"):
                name = line.strip().strip(":'\"")
                self.blocks[name] = []
            elif inside and name and line.startswith("     "):
                self.blocks[name].append(line)
        self.registry = referencing.Registry(retrieve=self.resource)

    def schema(self, name):
        return strict(yaml.load("".join(self.blocks[name]), yaml.CSafeLoader))

    def resource(self, uri):
        return referencing.jsonschema.DRAFT202012.create_resource(self.schema(uri.removeprefix("official:")))

    def check(self, name, document):
        schema = self.schema(name)
        assert set(document) <= set(schema["properties"]), name
        found = jsonschema.Draft202012Validator(schema, registry=self.registry).iter_errors(document)
        assert [f"{name} {list(e.absolute_path)}: {e.message[:200]}" for e in found] == []


def strict(schema):
    """An OpenAPI 3.0 schema as JSON Schema: null where it may be, references by name."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": f"official:{schema['$ref'].rsplit('/', 1)[1]}"}
    made = {key: strict(value) for key, value in schema.items() if key not in {"nullable", "example"}}
    return {"anyOf": [{"type": "null"}, made]} if schema.get("nullable") is True else made


def test_objects_fit_the_official_description(shop):
    data = os.environ.get("STEWARD_TEST_DATA")
    path = Path(data or "/nowhere") / "openapi/stripe_spec3_2023-09-12.yaml"
    if not path.exists():
        pytest.skip("STEWARD_TEST_DATA names no folder with openapi/")
    official = Described(path)
    charge = fresh_charge(shop)
    refund = shop.stripe.refunds.create({"charge": charge.id, "amount": 110})
    get = lambda path, **query: shop.plain.get(path, params=query).json()
    for name, listed in {
        "charge": "charges", "payment_intent": "payment_intents", "refund": "refunds", "dispute": "disputes",
        "payout": "payouts", "balance_transaction": "balance_transactions", "customer": "customers", "event": "events",
    }.items():  # fmt: skip
        rows = get(f"/v1/{listed}", limit=25)["data"]
        assert rows, name
        for row in rows:
            official.check(name, row)
    official.check("balance", get("/v1/balance"))
    official.check("charge", get(f"/v1/charges/{charge.id}", **{"expand[]": "balance_transaction"}))
    official.check("error", shop.plain.get("/v1/refunds/re_no").json())
    now = shop.control.get("/_livemarket/clock").json()["unix"]
    run = shop.plain.post("/v1/reporting/report_runs", data={
        "report_type": "payout_reconciliation.itemized.5", "parameters[interval_start]": now - 9 * DAY,
        "parameters[interval_end]": now,
    }).json()  # fmt: skip
    official.check("reporting.report_run", run)
    official.check("file", run["result"])
    with pytest.raises(AssertionError):  # the control: a wrong object must not pass
        official.check("refund", dict(refund.to_dict(), amount="110"))
