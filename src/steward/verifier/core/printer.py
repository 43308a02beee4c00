"""Writes a formula as text that reads back as the same formula: parse(show(node)) == node."""

from __future__ import annotations

from fractions import Fraction

from steward.kernel.money import exponent
from steward.verifier.core.formula import SECONDS
from steward.verifier.core.syntax import COMPARISONS, Apply, Braces, Choose, Fold, Literal, Node, Reference

_LEVEL = {
    "implies": 1,
    "or": 2,
    "and": 3,
    "not": 4,
    **dict.fromkeys((*COMPARISONS, "in"), 5),
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
}
_SIGN, _ATOM = 8, 9


def _decimal(value: Fraction, places: int = 0) -> str:
    """A decimal in full, of at least `places` places; the language has no numbers without one."""
    while (value * 10**places).denominator != 1:
        places += 1
        if places > 400:
            raise ValueError(f"{value} has no finite decimal")
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    return digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}"


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() or ord(letter) > 0xFFFF else f"\\u{ord(letter):04x}"


def _literal(node: Literal) -> str:
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    if isinstance(node.value, str):
        return '"' + "".join(_escaped(letter) for letter in node.value) + '"'
    if node.kind == "duration":
        unit = next(u for u in "wdhms" if int(node.value) % SECONDS[u] == 0)
        return f"{int(node.value) // SECONDS[unit]}{unit}"
    if node.kind == "number":
        return _decimal(node.value)
    places = exponent(node.kind)
    return f"{node.kind} {_decimal(node.value / 10**places, places)}"


def _apply(node: Apply) -> tuple[str, int]:
    op, args = node.op, node.args
    if op == "not":
        return f"not {_at(args[0], 4)}", 4
    if op == "-" and len(args) == 1:
        return f"-{_at(args[0], _SIGN)}", _SIGN
    if op not in _LEVEL:
        return f"{op}({', '.join(show(arg) for arg in args)})", _ATOM
    level = _LEVEL[op]
    if op == "implies":
        return f"{_at(args[0], 2)} implies {_at(args[1], 1)}", 1
    left = level + 1 if level == 5 else level
    return f"{_at(args[0], left)} {op} {_at(args[1], level + 1)}", level


def _parts(node: Node) -> tuple[str, int]:
    """Text and binding level: a part that binds less than its place asks for is put in parentheses."""
    match node:
        case Literal():
            return _literal(node), _ATOM
        case Reference():
            return node.name, _ATOM
        case Apply():
            return _apply(node)
        case Choose():
            return f"if {show(node.condition)} then {show(node.yes)} else {show(node.no)}", 0
        case Fold():
            return f"{node.op}({node.variable} in {_at(node.source, 6)}: {show(node.body)})", _ATOM
        case Braces():
            return "{" + ", ".join(show(item) for item in node.items) + "}", _ATOM


def _at(node: Node, level: int) -> str:
    text, own = _parts(node)
    return text if own >= level else f"({text})"


def show(node: Node) -> str:
    """The formula as text, with no parentheses but those it needs."""
    return _parts(node)[0]
