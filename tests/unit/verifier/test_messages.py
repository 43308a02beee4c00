"""What an author is told about a formula that is wrong: the exact words, place and way out, as a table.

`python -m tests.unit.verifier.test_messages` writes the table anew from its formulas; read the difference.
"""

import re
from pathlib import Path

import pytest

from steward.kernel.errors import BadInput
from steward.verifier.core.formula import parse
from steward.verifier.core.types import BOOL, read_type
from steward.verifier.core.units import type_of

TABLE = Path(__file__).parent / "golden" / "wrong_formulas.txt"
SCOPE = {
    name: read_type(kind)
    for name, kind in {
        "order.captured": "money",
        "order.refunded": "money",
        "order.placed_at": "time",
        "order.status": "enum{open, paid, refunded}",
        "order.flagged": "bool",
        "order.lines": {"list": {"sku": "text", "quantity": "int", "unit": "money", "due": "time"}},
        "order.tags": "set{text}",
        "stock.free": "int",
        "ads.roas": "decimal",
        "customer.emails": "list{text}",
        "action.amount": "money",
        "action.text": "text",
        "limit.refund": "money",
        "principal.roles": "set{text}",
        "now": "time",
    }.items()
}


def entries():
    """The formulas of the table with what is said of each: blocks with an empty line between."""
    for block in TABLE.read_text(encoding="utf-8").split("\n\n"):
        lines = block.strip("\n").splitlines()
        formula = [line[2:] for line in lines if line.startswith("|")]
        yield "\n".join(formula), "\n".join(line for line in lines if not line.startswith("|"))


def told(formula):
    with pytest.raises(BadInput) as refused:
        found = type_of(parse(formula), SCOPE)
        assert found == BOOL, formula  # a rule that is no rule is the catalog's business, not the parser's
    error = refused.value
    return f"{error.where}: {error.what}\nfix: {error.fix}"


@pytest.mark.parametrize(("formula", "message"), list(entries()))
def test_a_wrong_formula_is_told_so_in_these_words(formula, message):
    assert told(formula) == message


def test_every_message_has_a_place_and_a_way_out():
    table = list(entries())
    assert len(table) >= 100
    assert len({formula for formula, _ in table}) == len(table)
    for formula, message in table:
        place = re.match(r"line (\d+), column (\d+): \S", message)
        assert place, message
        line, column = map(int, place.groups())
        lines = formula.split("\n")
        assert line <= len(lines)
        assert column <= len(lines[line - 1]) + 1
        assert re.search(r"\nfix: \S", message), message


def main():
    blocks = ["\n".join(f"| {line}".rstrip() for line in f.split("\n")) + f"\n{told(f)}\n" for f, _ in entries()]
    TABLE.write_text("\n".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
