"""Reads formulas: a small total language, exact and typed, without loops, floats or null.

    formula    = "if" formula "then" formula "else" formula | implied
    implied    = or { "implies" implied }                       (to the right)
    or         = and { "or" and }          and = not { "and" not }
    not        = "not" not | comparison
    comparison = sum [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" | ["not"] "in" ) sum ]    (no chains)
    sum        = product { ("+" | "-") product }
    product    = sign { ("*" | "/") sign }         sign = "-" sign | atom
    atom       = literal | name | "(" formula ")" | "{" [formula {"," formula}] "}"
               | ("all"|"any"|"count"|"sum"|"min"|"max") "(" NAME "in" sum ":" formula ")"
               | ("min"|"max"|"abs"|"floor"|"matches") "(" formula {"," formula} ")"
    literal    = 12 | 0.5 | 24h | 30d | GBP 12.50 | "text" | true | false

Descends by hand, because messages to the business owner are the point: each names line, column and a way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from steward.kernel.errors import BadInput
from steward.kernel.money import exponent
from steward.verifier.core import advice
from steward.verifier.core.syntax import (
    CALLS,
    COMPARISONS,
    FOLDS,
    Apply,
    Braces,
    Choose,
    Fold,
    Literal,
    Node,
    Position,
    Reference,
    children,
)

LENGTH_MAX, DEPTH_MAX, HEIGHT_MAX = 10_000, 60, 100
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
KEYWORDS = frozenset(["and", "or", "not", "implies", "in", "if", "then", "else", "true", "false"])
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\#[^\n]*)
      | (?P<money>[A-Z]{3}[ ]+[0-9]+(?:\.[0-9]+)?(?![\w.]))
      | (?P<duration>[0-9]+[smhdw](?!\w))
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?![\w.]))
      | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<sign><=|>=|!=|[-+*/=<>(){}:,\[\]])""",
    re.VERBOSE | re.ASCII,
)
_ARGUMENTS = {
    "abs": ("one argument", 1, 1, "abs(a)"),
    "floor": ("one argument", 1, 1, "floor(a)"),
    "matches": ("two arguments", 2, 2, 'matches(TEXT, "PATTERN")'),
    "min": ("two or more arguments", 2, LENGTH_MAX, "min(a, b), or min(x in LIST: ...)"),
    "max": ("two or more arguments", 2, LENGTH_MAX, "max(a, b), or max(x in LIST: ...)"),
}
_ESCAPES = {'\\"': '"', "\\'": "'", "\\\\": "\\", "\\n": "\n", "\\t": "\t"}


Reader = Callable[[], Node]


class Token(NamedTuple):
    kind: str
    text: str
    at: Position


def position(text: str, offset: int) -> Position:
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def fault(what: str, at: Position, fix: str = "") -> BadInput:
    return BadInput(what, where=f"line {at[0]}, column {at[1]}", fix=fix)


def tokens(text: str) -> list[Token]:
    if len(text) > LENGTH_MAX:
        raise BadInput(f"a formula of more than {LENGTH_MAX} characters", fix="split the invariant")
    found: list[Token] = []
    offset = 0
    while offset < len(text):
        at = position(text, offset)
        for wrong, instead in advice.INSTEAD.items():
            if text.startswith(wrong, offset) and not text.startswith("!=", offset):
                raise fault(f"{wrong} is not an operator here", at, instead)
        match = _TOKEN.match(text, offset)
        if match is None:
            raise fault(*_unreadable(text, offset, at))
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], at))
        offset = match.end()
    return [*found, Token("end", "the end", position(text, len(text)))]


def _unreadable(text: str, offset: int, at: Position) -> tuple[str, Position, str]:
    rest = text[offset : offset + 40]
    if rest[0] in "\"'":
        return "text without an end", at, f"write {rest[0]} at its end"
    if rest[0].isdigit():
        found = rest.split(maxsplit=1)[0]
        return f"{found!r} is not a number", at, advice.of_number(found)
    fix = advice.of_sign(rest[0], text[:offset].rstrip()[-1:], rest[1:2])
    return f"{rest[0]!r} is not part of the language", at, fix


class Parser:
    """One formula being read, token by token."""

    def __init__(self, text: str) -> None:
        self.rest = tokens(text)[::-1]
        self.last = Token("start", "", (1, 1))
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.rest[-1]

    def take(self) -> Token:
        self.last = self.rest.pop()
        return self.last

    def accept(self, *texts: str) -> Token | None:
        token = self.next
        return self.take() if token.text in texts and token.kind in ("sign", "name") else None

    def expect(self, text: str, why: str) -> Token:
        token = self.accept(text)
        if token is None:
            extra = "" if self.next.kind == "end" or text == ")" else advice.of_extra(self.last[:2], self.next[:2])
            raise fault(f"{text} is missing before {self.next.text}", self.next.at, advice.both(why, extra))
        return token

    def formula(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise fault(f"nested more than {DEPTH_MAX} deep", self.next.at, "split the invariant")
        start = self.accept("if")
        node = self.implied() if start is None else self.choose(start)
        self.depth -= 1
        return node

    def choose(self, start: Token) -> Node:
        condition = self.formula()
        self.expect("then", "if CONDITION then A else B")
        yes = self.formula()
        self.expect("else", "if CONDITION then A else B: both are needed")
        return Choose(condition, yes, self.formula(), start.at)

    def implied(self) -> Node:
        left = self.chain(("or",), lambda: self.chain(("and",), self.negation))
        token = self.accept("implies")
        return left if token is None else Apply("implies", (left, self.formula()), token.at)

    def chain(self, ops: tuple[str, ...], part: Reader) -> Node:
        node = part()
        while (token := self.accept(*ops)) is not None:
            node = Apply(token.text, (node, part()), token.at)
        return node

    def negation(self) -> Node:
        found: list[Token] = []
        while (token := self.accept("not")) is not None:
            found.append(token)
        node = self.comparison()
        for token in reversed(found):
            node = Apply("not", (node,), token.at)
        return node

    def comparison(self) -> Node:
        left = self.sum()
        token = self.accept(*COMPARISONS, "in", "not")
        if token is None:
            return left
        if token.text == "not":
            self.expect("in", advice.of_not(self.next.text))
            return Apply("not", (Apply("in", (left, self.sum()), token.at),), token.at)
        node = Apply(token.text, (left, self.sum()), token.at)
        if self.next.text in (*COMPARISONS, "in"):
            raise fault("comparisons do not chain", self.next.at, "write a < b and b < c")
        return node

    def sum(self) -> Node:
        return self.chain(("+", "-"), lambda: self.chain(("*", "/"), self.sign))

    def sign(self) -> Node:
        found: list[Token] = []
        while (token := self.accept("-")) is not None:
            found.append(token)
        node = self.atom()
        for token in reversed(found):
            node = Apply("-", (node,), token.at)
        return node

    def atom(self) -> Node:
        token = self.take()
        match token.kind:
            case "number":
                return Literal("number", Fraction(token.text), token.at)
            case "duration":
                return Literal("duration", Fraction(int(token.text[:-1]) * SECONDS[token.text[-1]]), token.at)
            case "money":
                return _money(token)
            case "text":
                return Literal("text", _unescaped(token.text[1:-1]), token.at)
            case "name":
                return self.named(token)
            case _ if token.text == "(":
                node = self.formula()
                set_too = '; a set is written {"a", "b"}' if self.next.text == "," else ""
                self.expect(")", f"to close the ( at line {token.at[0]}, column {token.at[1]}{set_too}")
                return node
            case _ if token.text in ("{", "["):
                return self.braces(token)
            case _:
                raise fault(f"a value is missing before {token.text}", token.at, "write a fact, a literal or ( ... )")

    def named(self, token: Token) -> Node:
        if token.text in ("true", "false"):
            return Literal("bool", token.text == "true", token.at)
        if token.text in KEYWORDS:
            raise fault(f"a value is missing before {token.text}", token.at, advice.of_word(token.text))
        if self.next.text == "(":
            return self.call(token)
        return Reference(token.text, token.at)

    def call(self, token: Token) -> Node:
        op = token.text
        if op not in FOLDS and op not in CALLS:
            raise fault(f"there is no function {op}", token.at, advice.of_function(op, (*FOLDS, *CALLS)))
        self.take()
        variable = self.next
        may_fold = op in FOLDS and variable.kind == "name" and self.rest[-2].text == "in"
        if may_fold and (op not in CALLS or _is_plain(variable.text)):
            self.take()
            self.take()
            return self.fold(token, variable, self.sum())
        if op not in CALLS:
            named = self.next.text if self.next.kind == "name" else "LIST"
            raise fault(f"{op} goes over a list", token.at, f"write {op}(x in {named}: ...)")
        args = [self.formula()]
        if may_fold and self.next.text == ":":
            raise _no_variable(variable)
        while self.accept(",") is not None:
            args.append(self.formula())
        self.expect(")", f"to close {op}(")
        takes, least, most, form = _ARGUMENTS[op]
        if not least <= len(args) <= most:
            raise fault(f"{op} takes {takes}", token.at, f"write {form}")
        return Apply(op, tuple(args), token.at)

    def fold(self, token: Token, variable: Token, source: Node) -> Node:
        if not _is_plain(variable.text):
            raise _no_variable(variable)
        self.expect(":", f"write {token.text}({variable.text} in LIST: ...)")
        body = self.formula()
        self.expect(")", f"to close {token.text}(")
        return Fold(token.text, variable.text, source, body, token.at)

    def braces(self, token: Token) -> Node:
        close = "}" if token.text == "{" else "]"
        found: list[Node] = []
        while self.next.text != close or found:
            found.append(self.formula())
            if self.accept(",") is None:
                break
        self.expect(close, 'a set is written {"a", "b"}')
        return Braces(tuple(found), token.at)


def _is_plain(name: str) -> bool:
    """Whether a name may be bound: one word without a meaning of its own."""
    return "." not in name and name not in (*KEYWORDS, *FOLDS, *CALLS, "action", "principal", "now")


def _no_variable(token: Token) -> BadInput:
    return fault(f"{token.text} cannot be a variable", token.at, "use a plain name such as x")


def _unescaped(text: str) -> str:
    """Text without its escapes. One that is none (a backslash and d) stands for itself, as patterns want."""

    def one(match: re.Match[str]) -> str:
        return chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[0], match[0])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|.)", one, text)


def _money(token: Token) -> Literal:
    currency, digits = token.text.split()
    minor = Fraction(digits) * 10 ** exponent(currency)
    if minor.denominator != 1:
        raise fault(
            f"{currency} has {exponent(currency)} decimal places",
            token.at,
            f"{token.text} is between two amounts; write a ratio as a number",
        )
    return Literal(currency, minor, token.at)


def _check_height(root: Node) -> None:
    """Refuse a tree of more than `HEIGHT_MAX` levels, such as a sum of hundreds of terms: readers recurse."""
    waiting = [(root, 1)]
    while waiting:
        node, level = waiting.pop()
        if level > HEIGHT_MAX:
            raise fault(f"a formula of more than {HEIGHT_MAX} levels", node.at, "split the invariant")
        waiting.extend((child, level + 1) for child in children(node))


def parse(text: str) -> Node:
    """The formula `text` says. `BadInput` with line, column and a suggestion if it says none."""
    parser = Parser(text)
    if parser.next.kind == "end":
        raise fault("the formula is empty", parser.next.at, "write true where everything is allowed")
    node = parser.formula()
    if parser.next.kind != "end":
        fix = advice.of_extra(parser.last[:2], parser.next[:2])
        raise fault(f"{parser.next.text} is not expected here", parser.next.at, fix)
    _check_height(node)
    return node
