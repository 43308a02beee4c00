"""Every verb of every tool, by one example: its arguments fit, its request is built, and its answer reads as written down.

An example is `{verb: {args, response, status, result}}`; `_settings` are what an owner would have said. A `response` that is
text is the body itself: numbers with a point are written that way, because values in our YAML are exact. Answers are ours,
after the shape the provider documents.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from steward.catalog.loader import parse_yaml
from steward.catalog.toolbook import ToolBook
from steward.gateway.core.calls import build_call, problems_of
from steward.gateway.core.reading import Reply, read_reply, select
from steward.gateway.core.templates import fill
from steward.kernel.errors import BadInput

FOLDER = Path(__file__).parent / "tools" / "examples"
BOOK = ToolBook()
KEY = "act_0123456789abcdef0123456789abcdef"
PAIRS = [(name, verb.verb) for name in BOOK.names() for verb in BOOK.tool(name).verbs]
CALLS = [pair for pair in PAIRS if BOOK.verb(*pair).method != "INTERNAL" and not BOOK.verb(*pair).protocol]
EFFECTS = [pair for pair in CALLS if BOOK.verb(*pair).effect]
REFUSALS = {
    ("tiktok_ads", "update_budget"): {"code": 40002, "message": "budget: too low", "data": {}},
    ("slack", "post_message"): {"ok": False, "error": "channel_not_found"},
    ("shipengine", "void_label"): {"approved": False, "message": "used"},
    ("plaid", "authorize_transfer"): {"authorization": {"id": "a", "decision": "declined"}},
    ("amazon", "create_listing"): {"sku": "A", "status": "INVALID", "submissionId": "s", "issues": []},
    ("paypal", "add_tracking"): {"tracker_identifiers": [], "errors": [{"name": "INVALID", "message": "m"}]},
}


@cache
def examples(tool):
    path = FOLDER / f"{tool}.yaml"
    return parse_yaml(path.read_text(encoding="utf-8"), path.name) if path.is_file() else {}


def example(tool, verb):
    return examples(tool)[verb]


def settings_of(tool):
    spec, given = BOOK.tool(tool), examples(tool).get("_settings", {})
    return {name: str(given.get(name, f"{name.replace('_', '-')}-1")) for name in spec.settings}


def call(tool, verb, args):
    spec = BOOK.tool(tool)
    return build_call(spec, BOOK.verb(tool, verb), args, KEY, settings_of(tool), "https://elsewhere.example")


def answer(case):
    response = case.get("response")
    body = (
        response.encode() if isinstance(response, str) else b"" if response is None else json.dumps(response).encode()
    )
    return Reply("answer", case.get("status", 200), {}, body)


@pytest.mark.parametrize("tool", BOOK.names())
def test_every_verb_has_an_example_and_every_example_a_verb(tool):
    assert set(examples(tool)) - {"_settings"} == {verb.verb for verb in BOOK.tool(tool).verbs}
    assert set(examples(tool).get("_settings", {})) <= set(BOOK.tool(tool).settings)


@pytest.mark.parametrize(("tool", "verb"), PAIRS)
def test_the_arguments_of_an_example_fit_and_one_more_does_not(tool, verb):
    spec, args = BOOK.verb(tool, verb), example(tool, verb).get("args", {})
    assert problems_of(spec, args) == []
    assert problems_of(spec, {**args, "an_argument_nobody_knows": 1})
    for name in spec.params.get("required", []):
        assert problems_of(spec, {key: value for key, value in args.items() if key != name}), name


@pytest.mark.parametrize(("tool", "verb"), CALLS)
def test_a_request_is_built_and_the_same_again(tool, verb):
    args = example(tool, verb).get("args", {})
    request = call(tool, verb, args)
    assert request == call(tool, verb, args)
    assert request.method == BOOK.verb(tool, verb).method
    assert re.fullmatch(r"https://[^\s{}]+", request.url)
    with pytest.raises(BadInput):
        call(tool, verb, {**args, "an_argument_nobody_knows": 1})


@pytest.mark.parametrize(("tool", "verb"), CALLS)
def test_an_answer_reads_as_written_down(tool, verb):
    case = example(tool, verb)
    read = read_reply(BOOK.tool(tool), BOOK.verb(tool, verb), answer(case))
    assert (read.kind, read.result) == ("ok", case.get("result", {}))


@pytest.mark.parametrize(("tool", "verb"), EFFECTS)
def test_an_effect_has_a_rule_that_can_be_followed(tool, verb):
    """A native key goes out with the request. What is looked for can be asked for, with the arguments of the example."""
    spec, case = BOOK.verb(tool, verb), example(tool, verb)
    args, how = case.get("args", {}), spec.idempotency
    assert how is not None
    request = call(tool, verb, args)
    sent = json.dumps(request.to_json()).replace("-", "")
    values = {**args, "key": KEY, "args": args, "result": case.get("result", {}), "settings": settings_of(tool)}
    if how.mode == "native":
        assert how.hours > 0
        assert KEY.removeprefix("act_") in sent
    elif how.mode == "probe":
        assert not BOOK.verb(tool, how.verb).effect
        assert call(tool, how.verb, fill(how.args, values))
        assert select(how.found, {}) in ([], [{}])
        assert fill(how.match, values)
        assert how.settle_seconds > 0
    else:
        assert len(how.why) > 20
    for check in (spec.confirm, spec.undo):
        if check is not None:
            assert call(tool, check.verb, fill(check.args, values))
    assert spec.undo is not None or spec.irreversible
    assert spec.confirm is None or not BOOK.verb(tool, spec.confirm.verb).effect


@pytest.mark.parametrize(("tool", "verb"), [pair for pair in REFUSALS if pair in CALLS])
def test_a_refusal_under_a_good_status_is_one(tool, verb):
    body = json.dumps(REFUSALS[tool, verb]).encode()
    assert read_reply(BOOK.tool(tool), BOOK.verb(tool, verb), Reply("answer", 200, {}, body)).kind == "refused"


def test_money_of_a_verb_is_an_amount_and_a_currency_of_its_arguments():
    for tool, verb in PAIRS:
        money = BOOK.verb(tool, verb).money
        if money is not None:
            required = BOOK.verb(tool, verb).params["required"]
            assert money.amount.split(".")[0] in required, (tool, verb)
            assert money.currency.split(".")[0] in required or re.fullmatch(r"[A-Z]{3}", money.currency), (tool, verb)


def test_what_is_checked_names_a_description_of_its_tool_and_what_is_documented_a_page():
    for tool, verb in PAIRS:
        evidence = BOOK.verb(tool, verb).evidence
        if evidence.level == "checked":
            assert evidence.operation, (tool, verb)
            assert evidence.description in BOOK.tool(tool).descriptions, (tool, verb)
        elif evidence.level == "documented":
            assert evidence.page.startswith("https://"), (tool, verb)
            assert re.fullmatch(r"(\d{4}-\d{2}-\d{2})?", evidence.date), (tool, verb)  # none: written from memory
            assert evidence.fields, (tool, verb)
