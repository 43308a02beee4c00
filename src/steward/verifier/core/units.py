"""The static check: what type a formula has, before any fact is read.

Every rule that passes can be evaluated on every set of facts without a type error; what remains at run time
(division by zero, two currencies, the least of an empty list) is undefined, never an exception.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

from steward.kernel.errors import BadInput
from steward.verifier.core.formula import fault
from steward.verifier.core.patterns import compiled
from steward.verifier.core.syntax import (
    COMPARISONS,
    CONNECTIVES,
    Apply,
    Braces,
    Choose,
    Fold,
    Literal,
    Node,
    Reference,
    children,
)
from steward.verifier.core.types import BOOL, DECIMAL, DURATION, INT, MONEY, NUMERIC, TEXT, TIME, Type

Scope = dict[str, Type]
_NUMBERS = ("int", "decimal")
_WORDS = ("text", "enum")


def lookup(node: Reference, scope: Scope) -> Type:
    """The type of a name: a bound variable or its field, else a fact or parameter; suggests for a typo."""
    if node.name in scope:
        return scope[node.name]
    head, _, rest = node.name.partition(".")
    if head in scope and rest and scope[head].name == "record":
        found = scope[head].field(rest)
        if found is not None:
            return found
        near = difflib.get_close_matches(rest, [name for name, _ in scope[head].fields], 1)
        known = ", ".join(name for name, _ in scope[head].fields)
        raise fault(
            f"{head} has no field {rest}",
            node.at,
            f"did you mean {head}.{near[0]}?" if near else f"it has {known}",
        )
    near = difflib.get_close_matches(node.name, list(scope), 1, 0.5)
    fix = f"did you mean {near[0]}?" if near else "declare it under facts, or as a parameter of the kind"
    raise fault(f"{node.name} is not declared", node.at, fix)


def _joined(left: Type, right: Type) -> Type | None:
    """The type both sides have in common, or None: the one place that says what can stand beside what."""
    if left.name in _NUMBERS and right.name in _NUMBERS:
        return INT if left.name == right.name == "int" else DECIMAL
    if left.name == right.name == "money":
        if left.currency and right.currency and left.currency != right.currency:
            return None
        return replace(MONEY, currency=left.currency or right.currency)
    if left.name in _WORDS and right.name in _WORDS:
        return left if left == right else TEXT
    if left.name == right.name and left.name in ("bool", "time", "duration"):
        return left
    return left if left == right and left.name in ("set", "list") else None


def _is_zero(node: Node) -> bool:
    return isinstance(node, Literal) and node.kind == "number" and node.value == 0


def _compare(node: Apply, left: Type, right: Type) -> Type:
    """Types two sides may be compared at. A literal 0 is a zero of every unit."""
    first, second = node.args
    if (_is_zero(first) and right.name in ("money", "duration")) or (
        _is_zero(second) and left.name in ("money", "duration")
    ):
        return BOOL
    joined = _joined(left, right)
    if joined is None or (node.op not in ("=", "!=") and joined.name not in (*NUMERIC, "time")):
        hint = "write money as GBP 12.50" if "money" in (left.name, right.name) else ""
        raise fault(f"{left} {node.op} {right} cannot be compared", node.at, hint)
    for one, other in ((first, right), (second, left)):
        _check_word(one, other)
    return BOOL


def _check_word(node: Node, kind: Type) -> None:
    if kind.name == "enum" and isinstance(node, Literal) and node.value not in kind.words:
        near = difflib.get_close_matches(str(node.value), kind.words, 1)
        fix = f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(kind.words)}"
        raise fault(f"{node.value!r} is no word of {kind}", node.at, fix)


def _arithmetic(node: Apply, left: Type, right: Type) -> Type:
    names = (left.name, right.name)
    if node.op in ("+", "-"):
        if names == ("time", "duration") or (names == ("duration", "time") and node.op == "+"):
            return TIME
        if names == ("time", "time") and node.op == "-":
            return DURATION
        joined = _joined(left, right)
        if joined is not None and joined.name in NUMERIC:
            return joined
    elif node.op == "*":
        if left.name in _NUMBERS and right.name in NUMERIC:
            return right if right.name not in _NUMBERS else _numbers(left, right)
        if left.name in NUMERIC and right.name in _NUMBERS:
            return left
    else:
        if left.name in NUMERIC and right.name in _NUMBERS:
            return left if left.name not in _NUMBERS else DECIMAL
        joined = _joined(left, right)
        if joined is not None and joined.name in NUMERIC:
            return DECIMAL
    hint = "units must agree: money with money, a number scales" if {"money", "duration"} & set(names) else ""
    raise fault(f"{left} {node.op} {right} means nothing", node.at, hint)


def _numbers(left: Type, right: Type) -> Type:
    return INT if left.name == right.name == "int" else DECIMAL


def _is_in(node: Apply, left: Type, right: Type) -> Type:
    if right.name not in ("set", "list") or right.item is None:
        raise fault(f"in needs a set, not {right}", node.at, 'write x in {"a", "b"}')
    if right.item.name != "record" and (right.item == left or _joined(left, right.item) is not None):
        _check_word(node.args[0], right.item)
        if isinstance(node.args[1], Braces):
            for item in node.args[1].items:
                _check_word(item, left)
        return BOOL
    raise fault(f"{left} in {right} means nothing", node.at)


def _call(node: Apply, types: list[Type]) -> Type:
    if node.op == "matches":
        pattern = node.args[1]
        if types[0].name not in _WORDS or not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
            raise fault("matches takes text and a pattern written out", node.at, 'matches(action.text, "^[a-z]+$")')
        try:
            compiled(pattern.value)
        except BadInput as error:
            raise fault(error.what, pattern.at, "RE2 syntax: no look-around, no back-references") from None
        return BOOL
    joined = types[0]
    for kind in types[1:]:
        found = _joined(joined, kind)
        if found is None:
            raise fault(f"{node.op} of {joined} and {kind} means nothing", node.at)
        joined = found
    if joined.name not in (*NUMERIC, "time") or (joined.name == "time" and node.op not in ("min", "max")):
        raise fault(f"{node.op} of {joined} means nothing", node.at)
    return INT if node.op == "floor" and joined.name == "decimal" else joined


def _apply(node: Apply, scope: Scope) -> Type:
    types = [type_of(arg, scope) for arg in node.args]
    if node.op in CONNECTIVES or node.op == "not":
        for kind, arg in zip(types, node.args, strict=True):
            if kind != BOOL:
                raise fault(f"{node.op} needs true or false, not {kind}", arg.at, "compare it with something")
        return BOOL
    if node.op == "-" and len(types) == 1:
        if types[0].name not in NUMERIC:
            raise fault(f"-{types[0]} means nothing", node.at)
        return types[0]
    if node.op in COMPARISONS:
        return _compare(node, types[0], types[1])
    if node.op == "in":
        return _is_in(node, types[0], types[1])
    if node.op in ("+", "-", "*", "/"):
        return _arithmetic(node, types[0], types[1])
    return _call(node, types)


def _fold(node: Fold, scope: Scope) -> Type:
    source = type_of(node.source, scope)
    if source.item is None or not isinstance(node.source, Reference):
        raise fault(f"{node.op} goes over a list, not {source}", node.source.at)
    inside = f"{node.variable}."
    if node.variable in scope or any(name.startswith(inside) for name in scope):
        raise fault(f"{node.variable} already has a meaning", node.at, "choose another variable")
    body = type_of(node.body, {**scope, node.variable: source.item})
    if node.op in ("all", "any", "count"):
        if body != BOOL:
            raise fault(f"{node.op} needs true or false after the colon, not {body}", node.body.at)
        return INT if node.op == "count" else BOOL
    if body.name not in NUMERIC and not (body.name == "time" and node.op != "sum"):
        raise fault(f"{node.op} of {body} means nothing", node.body.at)
    return body


def _braces(node: Braces, scope: Scope) -> Type:
    if not node.items:
        raise fault("a set needs an item", node.at)
    joined = type_of(node.items[0], scope)
    for item in node.items[1:]:
        found = _joined(joined, type_of(item, scope))
        if found is None:
            raise fault("the items of a set need one type", item.at)
        joined = found
    return Type("set", item=joined)


def _literal(node: Literal) -> Type:
    if node.kind == "number":
        return INT if not isinstance(node.value, str) and node.value == int(node.value) else DECIMAL
    known = {"bool": BOOL, "text": TEXT, "duration": DURATION}
    return known.get(node.kind) or replace(MONEY, currency=node.kind)


def type_of(node: Node, scope: Scope) -> Type:
    """The type of a formula; `BadInput` with line, column and a suggestion if it has none."""
    match node:
        case Literal():
            return _literal(node)
        case Reference():
            return lookup(node, scope)
        case Apply():
            return _apply(node, scope)
        case Choose():
            if type_of(node.condition, scope) != BOOL:
                raise fault("a condition is true or false", node.condition.at)
            joined = _joined(type_of(node.yes, scope), type_of(node.no, scope))
            if joined is None:
                raise fault("then and else need one type", node.at)
            return joined
        case Fold():
            return _fold(node, scope)
        case Braces():
            return _braces(node, scope)


def fits(node: Node, wanted: Type, scope: Scope) -> bool:
    """Whether a formula that has a type may be stored as `wanted`: a word as its enum, a zero as any unit's."""
    if isinstance(node, Choose):
        return fits(node.yes, wanted, scope) and fits(node.no, wanted, scope)
    if _is_zero(node) and wanted.name in ("money", "duration"):
        return True
    found = type_of(node, scope)
    if wanted.name == "enum" and isinstance(node, Literal):
        _check_word(node, wanted)
        return found == TEXT
    if found.name == "money" and wanted.name == "money":
        return True
    return found == wanted or (found.name, wanted.name) in (("int", "decimal"), ("enum", "text"))


_KNOWN: dict[int, tuple[Node, frozenset[str]]] = {}
_KNOWN_MAX = 4_096


def reads(node: Node) -> frozenset[str]:
    """The names of facts and parameters a formula reads; worked out once for a formula that is asked about again."""
    known = _KNOWN.get(id(node))
    if known is None or known[0] is not node:
        if len(_KNOWN) >= _KNOWN_MAX:
            _KNOWN.clear()
        known = _KNOWN[id(node)] = (node, _reads(node, frozenset()))
    return known[1]


def _reads(node: Node, bound: frozenset[str]) -> frozenset[str]:
    if isinstance(node, Reference):
        return frozenset() if node.name.partition(".")[0] in bound else frozenset({node.name})
    if isinstance(node, Fold):
        return _reads(node.source, bound) | _reads(node.body, bound | {node.variable})
    return frozenset[str]().union(*(_reads(child, bound) for child in children(node)))
