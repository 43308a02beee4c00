"""Turns a prover's point into a state and an action in full, so that the evaluator can say whether it shows anything.

A point gives numbers to the variables of a theorem. Facts it does not name take the plainest value of their type;
conditions without arithmetic are built where that is plain (a member put into a set, a list of so many items). The
rest may come out otherwise than the point says: then nothing is shown, and that is what is reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined, size_of
from steward.verifier.core.rules import Bounds
from steward.verifier.core.symbolic import Meaning
from steward.verifier.core.syntax import Apply, Fold, Literal, Node, Reference
from steward.verifier.core.types import Type
from steward.verifier.core.units import Scope, reads
from steward.verifier.core.values import Amount, Value, value_json

ITEMS_MAX = 50
CURRENCY = "GBP"


class Picture:
    """The state and action a point speaks of."""

    def __init__(self, kind: str, scope: Scope, bounds: dict[str, Bounds], currency: str = CURRENCY) -> None:
        self.scope = scope
        self.currency = currency
        self.values: dict[str, Value] = {
            name: self.plainest(type_, bounds.get(name, (None, None))) for name, type_ in scope.items()
        }
        self.values["action.kind"] = kind

    def plainest(self, kind: Type, bounds: Bounds = (None, None)) -> Value:
        least, most = bounds
        number = max(least, Fraction(0)) if least is not None else Fraction(0)
        number = min(most, number) if most is not None else number
        match kind.name:
            case "bool":
                return False
            case "money":
                return Amount(number, self.currency)
            case "int" | "decimal" | "duration" | "time":
                return number
            case "enum":
                return kind.words[0]
            case "text":
                return "-"
            case "set":
                return frozenset[Any]()
            case "record":
                return {name: self.plainest(item) for name, item in kind.fields}
            case _:
                return ()

    def paint(self, meanings: dict[str, Meaning], words: dict[str, int], point: dict[str, Fraction]) -> None:
        """Take over what the point says of names, then what it says of conditions, where that can be built."""
        texts = {number: text for text, number in words.items()}
        for name, meaning in meanings.items():
            if name in point and isinstance(meaning.node, Reference):
                self.name(meaning.node.name, point[name], texts)
        for name, meaning in meanings.items():
            if name in point and meaning.node is not None and not isinstance(meaning.node, Reference):
                self.condition(meaning, point[name])
        for name, meaning in meanings.items():
            if isinstance(meaning.node, Fold) and meaning.node.op == "all" and point.get(name) == 1:
                self.mend(meaning.node)

    def mend(self, node: Fold) -> None:
        """Raise one field of each item over the others together, where that makes true what is to be true of all."""
        if not isinstance(node.source, Reference) or truth(node, self.values) is True:
            return
        name = node.source.name
        old, item = self.values[name], self.scope[name].item
        if item is None or item.name != "record":
            return
        for field, kind in item.fields:
            if kind.name in ("int", "decimal", "money"):
                self.values[name] = tuple({**entry, field: self.over(entry, kind)} for entry in old)
                if truth(node, self.values) is True:
                    return
        self.values[name] = old

    def over(self, entry: dict[str, Value], kind: Type) -> Value:
        """As much as all numbers of an item that are of one type come to."""
        is_money = kind.name == "money"
        alike = [value for value in entry.values() if isinstance(value, Amount) == is_money and _is_number(value)]
        total = sum((abs(size_of(value)) for value in alike), Fraction(0))
        return Amount(total, self.currency) if is_money else total

    def name(self, name: str, value: Fraction, texts: dict[int, str]) -> None:
        kind = self.scope[name]
        if kind.name == "bool":
            self.values[name] = value == 1
        elif kind.name == "money":
            self.values[name] = Amount(value, self.currency)
        elif kind.name in ("text", "enum"):
            self.values[name] = texts.get(int(value), f"other {value}")
        else:
            self.values[name] = value

    def condition(self, meaning: Meaning, value: Fraction) -> None:
        match meaning.node:
            case Apply(op="in", args=(item, Reference(name=name))) if meaning.role == "true" and value == 1:
                try:
                    member = Evaluator(dict(self.values)).value(item)
                except (Undefined, Undecided):
                    return
                old = self.values[name]
                self.values[name] = old | {member} if isinstance(old, frozenset) else (*old, member)
            case Fold(op="count", source=Reference(name=name)) if value.denominator == 1 and value <= ITEMS_MAX:
                self.extend(name, int(value))
            case Fold(op="sum", source=Reference(name=name), body=Reference(name=field)):
                self.sum_up(name, field.partition(".")[2], value)
            case Apply(op="matches", args=(Reference(name=name), Literal(value=str(pattern)))) if value == 1:
                self.values[name] = pattern.strip("^$")
            case _:
                return

    def extend(self, name: str, count: int) -> None:
        item = self.scope[name].item
        if item is not None and self.scope[name].name == "list":
            self.values[name] = (*self.values[name], *[self.plainest(item)] * (count - len(self.values[name])))

    def sum_up(self, name: str, field: str, value: Fraction) -> None:
        """Give the first item what the sum lacks."""
        item = self.scope[name].item
        kind = item.field(field) if item is not None and field else None
        if item is None or kind is None or kind.name not in ("money", "int", "decimal"):
            return
        first, *rest = [dict(entry) for entry in self.values[name]] or [self.plainest(item)]
        first[field] = Amount(value, self.currency) if kind.name == "money" else value
        self.values[name] = (first, *rest)

    def shown(self, nodes: Iterable[Node]) -> dict[str, Any]:
        """The values of all names the formulas read, as JSON."""
        names = frozenset[str]().union(*map(reads, nodes)) - {"action.kind"}
        return {name: value_json(self.values[name], self.scope[name]) for name in sorted(names)}


def _is_number(value: Value) -> bool:
    return isinstance(value, int | Fraction | Amount) and not isinstance(value, bool)


def truth(node: Node, values: dict[str, Value]) -> bool | None:
    """Whether a formula holds in a state; None where it is undefined or beyond a limit."""
    try:
        return Evaluator(dict(values)).truth(node)
    except Undecided:
        return None


def within(values: dict[str, Value], bounds: dict[str, Bounds], scope: Scope) -> bool:
    """Whether a state is one the theorem speaks of: facts in bounds, whole and of their words."""
    for name, kind in scope.items():
        value = values[name]
        size = value.minor if isinstance(value, Amount) else value
        least, most = bounds.get(name, (None, None))
        if (least is not None and size < least) or (most is not None and size > most):
            return False
        if kind.name in ("int", "money") and size.denominator != 1:
            return False
        if kind.name == "enum" and value not in kind.words:
            return False
    return True
