"""The abstract syntax of the invariant language and its one JSON form.

Six kinds of node, each frozen. Positions (line, column) ride along for messages and are no part of equality
or of the JSON form, so the same rule written on two lines is the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from steward.kernel.errors import BadInput

Position = tuple[int, int]
FOLDS = ("all", "any", "count", "sum", "min", "max")
CALLS = ("min", "max", "abs", "floor", "matches")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
CONNECTIVES = ("and", "or", "implies")
UNARY = ("-", "not")
BINARY = (*COMPARISONS, *CONNECTIVES, "in", "+", "-", "*", "/")


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind`: bool, number, text, duration (seconds) or a currency code (minor units)."""

    kind: str
    value: bool | Fraction | str
    at: Position = field(default=(1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A dotted name: a fact, `action.x`, `principal.x`, `now`, or a bound variable and its field."""

    name: str
    at: Position = field(default=(1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or function on its arguments: `BINARY`, `UNARY`, `CALLS`."""

    op: str
    args: tuple[Node, ...]
    at: Position = field(default=(1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Choose:
    """if condition then yes else no."""

    condition: Node
    yes: Node
    no: Node
    at: Position = field(default=(1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Fold:
    """`op(variable in source: body)` over a finite list or set."""

    op: str
    variable: str
    source: Node
    body: Node
    at: Position = field(default=(1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Braces:
    """A set written out: {"a", "b"}."""

    items: tuple[Node, ...]
    at: Position = field(default=(1, 1), compare=False)


Node = Literal | Reference | Apply | Choose | Fold | Braces


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Literal() | Reference():
            return ()
        case Apply():
            return node.args
        case Choose():
            return node.condition, node.yes, node.no
        case Fold():
            return node.source, node.body
        case Braces():
            return node.items


def to_json(node: Node) -> Any:
    """Canonical JSON of a formula: what the catalog digest covers."""
    match node:
        case Literal(kind="number" | "duration"):
            return ["literal", node.kind, str(node.value)]
        case Literal(value=Fraction()):
            return ["literal", node.kind, str(node.value)]
        case Literal():
            return ["literal", node.kind, node.value]
        case Reference():
            return ["reference", node.name]
        case Apply():
            return ["apply", node.op, *(to_json(arg) for arg in node.args)]
        case Choose():
            return ["choose", to_json(node.condition), to_json(node.yes), to_json(node.no)]
        case Fold():
            return ["fold", node.op, node.variable, to_json(node.source), to_json(node.body)]
        case Braces():
            return ["braces", *(to_json(item) for item in node.items)]


def from_json(value: Any) -> Node:
    """The formula whose JSON form is `value`; `BadInput` if there is none."""
    match value:
        case ["literal", "bool", bool(flag)]:
            return Literal("bool", flag)
        case ["literal", "text", str(text)]:
            return Literal("text", text)
        case ["literal", str(kind), str(text)]:
            return Literal(kind, Fraction(text))
        case ["reference", str(name)]:
            return Reference(name)
        case ["apply", str(op), *args] if op in (*BINARY, *UNARY, *CALLS):
            return Apply(op, tuple(from_json(arg) for arg in args))
        case ["choose", condition, yes, no]:
            return Choose(from_json(condition), from_json(yes), from_json(no))
        case ["fold", str(op), str(variable), source, body] if op in FOLDS:
            return Fold(op, variable, from_json(source), from_json(body))
        case ["braces", *items]:
            return Braces(tuple(from_json(item) for item in items))
        case _:
            raise BadInput("not the JSON form of a formula")
