"""The page on the language of rules is true: every example comes out as it says, every table is the type checker's."""

import itertools
import json
import re
from pathlib import Path

import pytest

from steward.catalog import parse_yaml
from steward.kernel.errors import BadInput
from steward.verifier import Verifier
from steward.verifier.core import evaluate, formula, patterns, values
from steward.verifier.core.catalog import read_catalog
from steward.verifier.core.evaluate import Evaluator, Undefined
from steward.verifier.core.syntax import Apply, Reference
from steward.verifier.core.types import read_type
from steward.verifier.core.units import type_of

PAGE = Path(__file__).parents[2] / "docs/reference/language.md"
TEXT = PAGE.read_text(encoding="utf-8")
WORDS = ("with", "gives", "undefined", "error", "fix", "verdict")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


DOCUMENT = parse_yaml(blocks("yaml")[0], "language.md")
GIVEN = json.loads(blocks("json")[0])


def read(block):
    """(formula, {fact: other value}, {word: text}) of an example."""
    lines, changes, said = [], {}, {}
    for line in block.splitlines():
        word, _, rest = line.partition(" ")
        if word == "with":
            name, _, value = rest.partition(" ")
            changes[name] = json.loads(value)
        elif word in WORDS:
            said[word] = rest
        else:
            lines.append(line)
    return "\n".join(lines), changes, said


EXAMPLES = [read(block) for block in blocks("formula")]


def catalog_with(text):
    rule = {"id": "rule", "on": ["refund.issue"], "require": text, "otherwise": "deny", "why": "an example"}
    return [("language.yaml", {**DOCUMENT, "invariants": [rule]})]


def scope():
    catalog, troubles = read_catalog(catalog_with("true"))
    assert troubles == []
    return catalog.scope("refund.issue")


def known(changes):
    """Every name of the page with its exact value."""
    action, facts = GIVEN["action"], {**GIVEN["facts"], **changes, "now": GIVEN["now"]}
    names = {f"action.{name}": value for name, value in action["params"].items()}
    names |= {"action.kind": action["kind"], "action.id": action["id"]}
    names |= {"principal.id": action["principal"]["id"], "principal.roles": action["principal"]["roles"]}
    return {name: values.read_value(value, scope()[name]) for name, value in {**facts, **names}.items()}


def shown(text, changes):
    """What comes out of a formula, in the words of the page."""
    try:
        node = formula.parse(text)
        kind = type_of(node, scope())
    except BadInput as error:
        return {"error": f"{error.where}: {error.what}", "fix": error.fix}
    run = Evaluator(known(changes))
    try:
        value = run.truth(node) if kind.name == "bool" else run.value(node)
    except Undefined as undefined:
        return {"undefined": str(undefined)}
    if value is None:
        return {"undefined": run.reasons[-1]}
    return {"gives": values.value_text(value, kind)}


@pytest.mark.parametrize(("text", "changes", "said"), [e for e in EXAMPLES if "verdict" not in e[2]])
def test_an_example_comes_out_as_the_page_says(text, changes, said):
    assert shown(text, changes) == said


@pytest.mark.parametrize(("text", "changes", "said"), [e for e in EXAMPLES if "verdict" in e[2]])
def test_a_verdict_comes_out_as_the_page_says(text, changes, said):
    with Verifier.from_documents(catalog_with(text)) as verifier:
        verdict = verifier.certify(GIVEN["action"], {**GIVEN["facts"], **changes}, GIVEN["now"])
    assert verdict.verdict == said["verdict"]


def test_every_block_is_run_and_one_that_says_another_thing_is_noticed():
    assert len(EXAMPLES) >= 50
    assert all(text and len(said) == 1 + ("error" in said) for text, _, said in EXAMPLES)
    for text, changes, said in EXAMPLES:
        if "gives" in said:
            wrong = {"true": "false", "false": "true"}.get(said["gives"], said["gives"].replace("0", "7") + "1")
            assert shown(text, changes) != {"gives": wrong}


def table(heading):
    """The rows of the first table after a heading."""
    lines = TEXT[TEXT.index(f"\n{heading}\n") :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 1 :])
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_the_table_of_units_is_the_type_checkers():
    types = ["bool", "int", "decimal", "text", "money", "time", "duration", "enum{a, b}", "set{int}", "list{money}"]
    names = {f"n{i}": read_type(kind) for i, kind in enumerate(types)}
    found = set()
    for left, right, op in itertools.product(names, names, "+-*/"):
        try:
            kind = type_of(Apply(op, (Reference(left), Reference(right))), names)
        except BadInput:
            continue
        found.add((str(names[left]), op, str(names[right]), str(kind)))
    assert {entry for row in table("### Units") for entry in expanded(*row)} == found


def expanded(left, operators, right, gives):
    """A row of the page in full: number is int and decimal, and two whole numbers give a whole one."""
    for op in re.findall(r"`(.)`", operators):
        for one, other in itertools.product(*(("int", "decimal") if s == "number" else (s,) for s in (left, right))):
            whole = "int" if one == other == "int" else "decimal"
            yield one, op, other, whole if gives == "number" else gives


def test_every_type_of_the_table_is_read():
    rows = table("## Types")
    found = {read_type(spec if spec[0] != "{" else parse_yaml(spec, "")).name for row in rows for spec in spans(row[1])}
    assert found == {"bool", "int", "decimal", "text", "enum", "money", "time", "duration", "set", "list"}
    for row in rows:
        for literal in spans(row[2]):
            wanted = read_type(spans(row[1])[0] if "enum" not in row[1] else "text")
            assert type_of(formula.parse(literal), {}).name == wanted.name, literal


def spans(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_json_of_every_type_of_the_table_is_read():
    for row in table("## Types"):
        spec = spans(row[1])[-1]
        kind = read_type(parse_yaml(spec, "") if spec[0] == "{" else spec)
        for value in spans(row[3]):
            assert values.read_value(json.loads(value), kind) is not None


def test_the_numbers_on_the_page_are_those_of_the_code():
    flat = " ".join(TEXT.split())
    for number, said in (
        (values.ITEMS_MAX, "a list has at most {} elements"),
        (values.TEXT_MAX, "Text is at most {} characters"),
        (patterns.PATTERN_MAX, "a pattern {}"),
        (formula.LENGTH_MAX, "A formula has at most {} characters"),
        (formula.DEPTH_MAX, "{} levels of brackets"),
        (formula.HEIGHT_MAX, "{} levels in all"),
        (evaluate.STEPS_MAX, "at most {} steps"),
    ):
        assert said.format(f"{number:,}") in flat
    for word in formula.KEYWORDS:
        assert word in flat[flat.index("`and or not") : flat.index("are words of the language")]


def test_the_grammar_on_the_page_is_the_parsers():
    said = [line.strip() for line in blocks("text")[-1].splitlines()]
    lines = [line.strip() for line in formula.__doc__.splitlines()]
    assert said == lines[lines.index(said[0]) : lines.index(said[0]) + len(said)]
    assert lines[lines.index(said[0]) + len(said)] == ""
