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

_OF = {
    **dict.fromkeys(("sum", "abs", "floor"), "it is for numbers, money and durations"),
    **dict.fromkeys(("min", "max"), "it is for numbers, money, durations and times"),
}

Scope = dict[str, Type]
_NUMBERS = ("int", "decimal")
_WORDS = ("text", "enum")
_NULL = "there is no null: a fact that is missing escalates by itself"
_ELSEWHERE = {
    "true": "write true",
    "false": "write false",
    **dict.fromkeys(("null", "none", "nil", "undefined"), _NULL),
}


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
    raise fault(f"{node.name} is not declared", node.at, _meant(node.name, scope))


def _meant(name: str, scope: Scope) -> str:
    """What the author of a name nobody declared most likely wanted to write."""
    if name.lower() in _ELSEWHERE:
        return _ELSEWHERE[name.lower()]
    if any(name in kind.words for kind in scope.values()):
        return f'a word stands in quotes: write "{name}"'
    head, _, field = name.rpartition(".")
    kind = scope.get(head)
    if kind is not None and kind.item is not None:
        return f"{head} is a {kind.name}: write all(x in {head}: ...) or any(x in {head}: ...), and x.{field} inside"
    near = difflib.get_close_matches(name, list(scope), 1, 0.5)
    return f"did you mean {near[0]}?" if near else "declare it under facts, or as a parameter of the kind"


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
        raise fault(f"{left} {node.op} {right} cannot be compared", node.at, _not_compared(left, right))
    for one, other in ((first, right), (second, left)):
        _check_word(one, other)
    return BOOL


def _not_compared(left: Type, right: Type) -> str:
    """How the sides of a comparison could come to be alike."""
    names = {left.name, right.name}
    if names == {"money"}:
        return "amounts in two currencies have no order: compare amounts in one"
    if "time" in names and names & {"text", *_NUMBERS}:
        return "a time is a fact of type time, or now, or counted from one: now - 30d"
    if len(names & {"money", "duration", "time"}) == 2:
        return "compare like with like: money with money, time with time, now - TIME with a duration"
    if "duration" in names:
        return "write a duration as 24h or 30d"
    if "money" in names:
        return "write money as GBP 12.50"
    if "bool" in names:
        return "what is true or false stands alone: write x, or not x"
    if names <= {*_WORDS}:
        return "text has no order: use =, !=, in or matches"
    return "both sides need one type"


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
    raise fault(f"{left} {node.op} {right} means nothing", node.at, _not_reckoned(node.op, set(names)))


def _not_reckoned(op: str, names: set[str]) -> str:
    """What there is instead of an operation that means nothing."""
    if names & {*_WORDS, "bool", "set", "list", "record"}:
        return "only numbers, money, durations and times are reckoned with"
    if "time" in names:
        return "time - time is a duration, and time + or - a duration such as 24h is a time"
    if names == {"money"}:
        one = "amounts in two currencies have no sum and no ratio"
        return "a number scales an amount, and an amount by an amount is no unit" if op == "*" else one
    return "units must agree: money with money, written GBP 12.50; a number scales"


def _numbers(left: Type, right: Type) -> Type:
    return INT if left.name == right.name == "int" else DECIMAL


def _is_in(node: Apply, left: Type, right: Type) -> Type:
    if right.name not in ("set", "list") or right.item is None:
        fix = 'write x in {"a", "b"}'
        raise fault(f"in needs a set, not {right}", node.at, f"{fix}, or matches" if right.name == "text" else fix)
    if right.item.name != "record" and (right.item == left or _joined(left, right.item) is not None):
        _check_word(node.args[0], right.item)
        if isinstance(node.args[1], Braces):
            for item in node.args[1].items:
                _check_word(item, left)
        return BOOL
    a_list = f"write any(x in LIST: ...) for a list of {right.item}"
    fix = a_list if right.item.name == "record" else f"it holds {right.item}"
    raise fault(f"{left} in {right} means nothing", node.at, fix)


def _call(node: Apply, types: list[Type]) -> Type:
    if node.op == "matches":
        pattern = node.args[1]
        if types[0].name not in _WORDS or not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
            fix = 'write matches(action.text, "^[a-z]+$"): the pattern is no fact'
            raise fault("matches takes text and a pattern written out", node.at, fix)
        try:
            compiled(pattern.value)
        except BadInput as error:
            raise fault(error.what, pattern.at, "RE2 syntax: no look-around, no back-references") from None
        return BOOL
    joined = types[0]
    for kind in types[1:]:
        found = _joined(joined, kind)
        if found is None:
            raise fault(f"{node.op} of {joined} and {kind} means nothing", node.at, "they need one type")
        joined = found
    if joined.name not in (*NUMERIC, "time") or (joined.name == "time" and node.op not in ("min", "max")):
        raise fault(f"{node.op} of {joined} means nothing", node.at, _OF[node.op])
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
            raise fault(f"-{types[0]} means nothing", node.at, "only numbers, money and durations have a negative")
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
        fix = "the list is a fact, such as order.lines" if source.item else "declare it as {list: {field: TYPE}}"
        raise fault(f"{node.op} goes over a list, not {source}", node.source.at, fix)
    inside = f"{node.variable}."
    if node.variable in scope or any(name.startswith(inside) for name in scope):
        raise fault(f"{node.variable} already has a meaning", node.at, "choose another variable")
    body = type_of(node.body, {**scope, node.variable: source.item})
    if node.op in ("all", "any", "count"):
        if body != BOOL:
            what, fix = f"{node.op} needs true or false after the colon, not {body}", "compare it with something"
            raise fault(what, node.body.at, fix)
        return INT if node.op == "count" else BOOL
    if body.name not in NUMERIC and not (body.name == "time" and node.op != "sum"):
        raise fault(f"{node.op} of {body} means nothing", node.body.at, _OF[node.op])
    return body


def _braces(node: Braces, scope: Scope) -> Type:
    if not node.items:
        raise fault("a set needs an item", node.at, "what is in no set: write false")
    joined = type_of(node.items[0], scope)
    for item in node.items[1:]:
        kind = type_of(item, scope)
        found = _joined(joined, kind)
        if found is None:
            raise fault(f"the items of a set need one type: {joined} and {kind}", item.at, "write two sets")
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
            condition = type_of(node.condition, scope)
            if condition != BOOL:
                what = f"a condition is true or false, not {condition}"
                raise fault(what, node.condition.at, "compare it with something")
            yes, no = type_of(node.yes, scope), type_of(node.no, scope)
            joined = _joined(yes, no)
            if joined is None:
                raise fault(f"then is {yes} and else is {no}", node.at, "they need one type")
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
