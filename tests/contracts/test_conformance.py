"""Checked verbs against official descriptions: a sample here, everything in bench/tools.py. The validator itself is tried on
a small description of ours, so that it means something without the providers'.
"""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1] / "oracles" / "tools")]

from conformance import Harness
from described import Described
from generated import text_of

from steward.catalog.toolbook import ToolBook
from steward.gateway.core.calls import ToolRequest

EXAMPLES = Path(__file__).parent / "tools" / "examples"
SAMPLE = ("paypal", "tiktok_ads")  # descriptions that are read quickly
DOCUMENT = {
    "openapi": "3.0.0",
    "paths": {
        "/things/{id}": {
            "put": {
                "operationId": "putThing",
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "schema": {"type": "integer"}},
                    {"in": "query", "name": "tags", "schema": {"type": "array", "items": {"type": "string"}}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                        "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/Thing"}},
                    },
                },
                "responses": {"200": {"description": "", "content": {"application/json": {"example": {"id": "7"}}}}},
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
                    "name": {"type": "string", "nullable": True, "pattern": "^[a-z]+$"},
                    "made": {"type": "object", "properties": {"at": {"type": "boolean"}}},
                },
            }
        }
    },
}


class Sample(Harness):
    def verbs(self):
        return [pair for pair in super().verbs() if pair[0] in SAMPLE]


@pytest.fixture
def described(tmp_path):
    (tmp_path / "d.json").write_text(json.dumps(DOCUMENT))
    return Described(tmp_path / "d.json")


def sent(body, kind="application/json", url="https://e.example/v1/things/7", method="PUT"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ToolRequest("t", "v", method, url, {"Content-Type": kind}, content)


def test_the_validator_takes_what_is_described(described):
    form = "application/x-www-form-urlencoded"
    assert described.problems(sent({"size": 1, "name": None}), "putThing") == []
    assert described.problems(sent(b"size=1&made[at]=true", form), "putThing") == []
    url = "https://e.example/v1/things/7?tags=a,b"
    assert described.problems(sent({"size": 1}, url=url), "putThing") == []
    assert list(described.responses("putThing")) == [(200, {"id": "7"})]


@pytest.mark.parametrize(
    "request_sent",
    [
        sent({"size": 0}),
        sent({}),
        sent({"size": "1"}),
        sent({"size": 1, "name": "A"}),
        sent({"size": 1, "name": "a\n"}),
        sent({"size": 1, "sise": 1}),
        sent({"size": 1, "made": {"att": True}}),
        sent(b""),
        sent(b"size=one", "application/x-www-form-urlencoded"),
        sent(b"size=1", "text/plain"),
        sent({"size": 1}, url="https://e.example/v1/things/seven"),
        sent({"size": 1}, url="https://e.example/v1/things/7?tag=a"),
        sent({"size": 1}, url="https://e.example/v1/thing/7"),
        sent({"size": 1}, method="POST"),
    ],
)
def test_the_validator_refuses_what_is_not(described, request_sent):
    assert described.problems(request_sent, "putThing")


@pytest.mark.parametrize("pattern", [r"^cus_[A-Za-z0-9]{1,5}$", r"^(a|b)c\d+$", r"^[^@\s]+@x\.y$", r"^#?.{2,}$"])
def test_texts_are_made_from_patterns(pattern):
    assert text_of(pattern) is not None


@pytest.fixture(scope="module")
def folder():
    place = Path(os.environ.get("STEWARD_TEST_DATA", "")) / "openapi"
    if not place.is_dir():
        pytest.skip("STEWARD_TEST_DATA names no folder with openapi/")
    return place


def test_requests_are_valid_and_changed_arguments_refused_where_the_description_refuses_them(folder):
    harness = Sample(ToolBook(), folder, EXAMPLES)
    assert [one for one in harness.built() if one[3]] == []
    changes = harness.mutations(150)
    assert changes["violating"] == 150
    assert changes["refused"] >= 0.99 * 150, changes["through"]


def test_the_harness_finds_loosened_schemas_and_wrong_templates(folder):
    loosened = Sample(ToolBook(), folder, EXAMPLES, loosen=True).mutations(60)
    assert loosened["refused"] < 0.99 * loosened["violating"]
    spoiled = Sample(ToolBook(), folder, EXAMPLES, spoil=True)
    with_body = [one for one in spoiled.built() if isinstance(spoiled.book.verb(one[0], one[1]).body, dict)]
    assert with_body
    found = sum(bool(wrong) for *_, wrong in with_body)
    assert found >= 0.9 * len(with_body)  # a body whose every name the description leaves open cannot be told
