"""Lint finds each thing that is wrong, and a draft says what is left."""

import pytest
import yaml
from click.testing import CliRunner

from steward.catalog import load_catalog
from steward.catalog.toolbook import ToolBook
from steward.cli.main import main
from steward.contracts.tool import ToolSpec
from steward.gateway import Workbench
from steward.gateway.core.lint import lint

BOOK = ToolBook()
SPEC = BOOK.tool("stripe").model_dump(mode="json")
DOCUMENT = {
    "swagger": "2.0",
    "info": {"title": "Acme", "version": "1"},
    "host": "acme.example",
    "basePath": "/v1",
    "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    "definitions": {
        "Refund": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}
    },
    "paths": {
        "/orders/{orderId}/refunds": {
            "post": {
                "operationId": "createRefund",
                "parameters": [
                    {"in": "path", "name": "orderId", "required": True, "type": "string"},
                    {"in": "body", "name": "body", "schema": {"$ref": "#/definitions/Refund"}},
                ],
            },
            "get": {"operationId": "listRefunds", "parameters": [{"in": "path", "name": "orderId", "type": "string"}]},
        }
    },
}


def found(change):
    """What lint says of Stripe's file after a change of its create_refund."""
    verbs = [dict(one) for one in SPEC["verbs"]]
    verb = next(one for one in verbs if one["verb"] == "create_refund")
    change(verb)
    spec = ToolSpec.model_validate({**SPEC, "verbs": verbs})
    return [what for _, what, _ in lint(spec, lambda path: path.startswith("$"), lambda _: True)]


def test_a_good_file_has_nothing():
    assert found(lambda _: None) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"idempotency": None}, "no answer"),
        ({"idempotency": {"mode": "native", "header": "", "hours": 0}}, "key has no hours"),
        ({"idempotency": {"mode": "none"}}, "why nothing"),
        ({"idempotency": {"mode": "probe", "verb": "nobody"}}, "nobody is no reading verb"),
        ({"risk": "L0"}, "no risk"),
        ({"undo": None, "irreversible": ""}, "taken back"),
        ({"money": {"amount": "amuont", "currency": "currency"}}, "no whole number"),
        ({"money": {"amount": "amount_minor", "currency": "pounds"}}, "no currency"),
        ({"result": {"id": "id"}}, "no JSONPath"),
        ({"body": {"amount": "{amuont}"}}, "amuont"),
        ({"confirm": {"verb": "create_refund"}}, "no reading verb"),
        ({"evidence": {"level": "documented"}}, "without a page"),
        ({"evidence": {"level": "checked", "description": "x", "operation": "y"}}, "does not name"),
        ({"effect": False}, "only reads"),
        ({"meaning": "DECIDE"}, "not decided"),
    ],
)
def test_each_fault_is_found(change, word):
    assert any(word in what for what in found(lambda verb: verb.update(change)))


def test_routes_fit_their_verbs():
    catalog = load_catalog()
    assert Workbench.route_problems(BOOK, catalog.routes, catalog.ports) == []
    wrong = catalog.routes[0].model_copy(update={"args": {"nobody": 1}, "port": "a.b"})
    said = " ".join(one["what"] for one in Workbench.route_problems(BOOK, [wrong], catalog.ports))
    assert "no port asks for a.b" in said
    assert "takes no nobody" in said


def test_a_draft_is_a_tool_and_lint_names_what_is_left(tmp_path):
    made = Workbench.drafted(DOCUMENT, "acme", (), "acme.json")
    spec = ToolSpec.model_validate(made)
    assert spec.base == "https://acme.example/v1"
    assert spec.auth.options == {"header": "X-Key", "secret": "key"}
    create = next(verb for verb in spec.verbs if verb.verb == "create_refund")
    assert create.path == "/orders/{order_id}/refunds"
    assert create.params["required"] == ["amount", "order_id"]
    assert create.body == {"amount": "{amount}"}
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(made, sort_keys=False))
    result = CliRunner().invoke(main, ["tools", "lint", str(tmp_path / "acme.yaml")])
    assert result.exit_code == 1
    assert "acme.yaml line" in result.output
    assert "native, probe or none" in result.output
