"""Says a formula in plain English, from its syntax tree: what the owner reads when she asks what a rule means.

Every node has one phrase, so the same rule always reads the same. Parentheses stay where words alone would leave
open what belongs together. Names become words; texts and patterns are quoted as they stand.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

from steward.kernel.money import exponent
from steward.verifier.core.syntax import COMPARISONS, Apply, Braces, Choose, Fold, Literal, Node, Reference

_RELATIONS = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_SUMS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_ONE = {"people": "person", "roles": "role"}
_SPANS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_PLACES_MAX = 12


def words(name: str) -> str:
    """A name as words: `refunds.in_flight` is "refunds in flight"."""
    return name.replace(".", " ").replace("_", " ")


def money_words(minor: Fraction | int, currency: str) -> str:
    """An amount as the owner writes it: GBP 3,000.00."""
    places = exponent(currency)
    return f"{currency} {_grouped(Fraction(minor) / 10**places, places)}"


def number_words(value: Fraction) -> str:
    """A number as a decimal where it has one, else as a fraction."""
    for places in range(_PLACES_MAX):
        if (value * 10**places).denominator == 1:
            return _grouped(value, places)
    return f"{value.numerator} over {value.denominator}"


def _grouped(value: Fraction, places: int) -> str:
    scaled = value * 10**places
    whole, rest = divmod(abs(round(scaled)), 10**places)
    sign = "minus " if value < 0 else ""
    return f"{sign}{whole:,}" + (f".{rest:0{places}}" if places else "")


def duration_words(seconds: int) -> str:
    """A duration in the largest unit that fits: 24h is "1 day"."""
    unit, size = next((unit, size) for unit, size in _SPANS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}" + ("" if count == 1 else "s")


def value_words(value: Any) -> str:
    """A limit's value as JSON has it (money, a count, a ratio as text) in words."""
    if isinstance(value, dict):
        amount = cast("dict[str, Any]", value)
        return money_words(int(amount["amount_minor"]), str(amount["currency"]))
    if isinstance(value, int):
        return number_words(Fraction(value))
    number = Fraction(str(value))
    said = number_words(number)
    return f"{said}, that is {number_words(number * 100)} of a hundred" if 0 < abs(number) < 1 else said


def one_of(name: str) -> str:
    """What an element of a list is called: a purchase of `purchases`, an entry of `customer.shared`."""
    last = name.rpartition(".")[2].replace("_", " ")
    if last in _ONE:
        return _ONE[last]
    return last[:-1] if last.endswith("s") and not last.endswith("ss") else f"entry of {words(name)}"


class English:
    """Formulas as sentences. `limit` says what a limit is now, such as "3", or "" where that is not known."""

    def __init__(self, limit: Callable[[str], str] = lambda _name: "") -> None:
        self.limit = limit
        self.bound: dict[str, str] = {}

    def sentence(self, node: Node) -> str:
        """The formula as a sentence with its full stop."""
        text = self.clause(node)
        at = 1 if text.startswith("(") else 0
        return text[:at] + text[at : at + 1].upper() + text[at + 1 :] + "."

    def clause(self, node: Node) -> str:
        """What is claimed, with the connectives of the outermost level unbracketed."""
        match node:
            case Apply(op="implies"):
                return f"if {self.clause(node.args[0])}, then {self.clause(node.args[1])}"
            case Apply(op="and" | "or"):
                parts = [self.part(part) for part in _flat(node, node.op)]
                return f", {node.op} ".join(parts)
            case _:
                return self.claim(node)

    def part(self, node: Node) -> str:
        """A claim inside another, bracketed where it could be read as reaching further than it does."""
        connects = isinstance(node, Apply) and node.op in ("and", "or", "implies")
        loose = connects or isinstance(node, Choose) or (isinstance(node, Fold) and node.op in ("all", "any"))
        return f"({self.clause(node)})" if loose else self.claim(node)

    def claim(self, node: Node) -> str:
        match node:
            case Apply(op="not"):
                return self.denied(node.args[0])
            case Apply() if node.op in COMPARISONS:
                return self.compared(node)
            case Apply(op="in"):
                return self.member(node, "is", "include")
            case Apply(op="matches"):
                return f"{self.value(node.args[0])} has wording that fits the pattern {self.value(node.args[1])}"
            case Apply(op="and" | "or" | "implies"):
                return self.clause(node)
            case Fold(op="all"):
                return f"for every {self.over(node, 'in')}, {self.inside(node, self.part)}"
            case Fold(op="any"):
                return f"for at least one {self.over(node, 'in')}, {self.inside(node, self.part)}"
            case Choose():
                return (
                    f"if {self.clause(node.condition)}, then {self.part(node.yes)}, and otherwise {self.part(node.no)}"
                )
            case Literal():
                return "this always holds" if node.value is True else "this never holds"
            case _:
                return f"{self.value(node)} is true"

    def denied(self, node: Node) -> str:
        match node:
            case Apply(op="in"):
                return self.member(node, "is not", "do not include")
            case Apply(op="matches"):
                return f"{self.value(node.args[0])} has no wording that fits the pattern {self.value(node.args[1])}"
            case Reference():
                return f"{self.value(node)} is not true"
            case _:
                return f"it is not so that {self.part(node)}"

    def compared(self, node: Apply) -> str:
        left, right = node.args
        if isinstance(right, Literal) and right.value == "" and node.op in ("=", "!="):
            return f"{self.value(left)} is {'empty' if node.op == '=' else 'not empty'}"
        return f"{self.value(left)} {_RELATIONS[node.op]} {self.value(right)}"

    def member(self, node: Apply, verb: str, include: str) -> str:
        item, group = node.args
        if isinstance(group, Reference) and group.name == "principal.roles":
            article = "" if not isinstance(item, Literal) else "an " if str(item.value)[:1] in "aeiou" else "a "
            role = words(str(item.value)) if isinstance(item, Literal) else self.value(item)
            return f"whoever acts {verb} {article}{role}"
        if isinstance(group, Braces):
            return f"{self.value(item)} {verb} {self.value(group)}"
        return f"{self.value(group)} {include} {self.value(item)}"

    def over(self, node: Fold, word: str) -> str:
        """The element and its list: "purchase in purchases"."""
        name = self.element(node)
        source = self.value(node.source)
        return name if name.endswith(source) and name != source else f"{name} {word} {source}"

    def element(self, node: Fold) -> str:
        return one_of(node.source.name) if isinstance(node.source, Reference) else "item"

    def inside(self, node: Fold, say: Callable[[Node], str]) -> str:
        """The body, with the variable called by what an element is."""
        before = dict(self.bound)
        name = self.element(node)
        taken = name in before.values()
        self.bound[node.variable] = f"other {name}" if taken else name
        text = say(node.body)
        self.bound = before
        return text

    def value(self, node: Node) -> str:
        match node:
            case Literal():
                return self.literal(node)
            case Reference():
                return self.name(node.name)
            case Apply(op="-") if len(node.args) == 1:
                return f"minus {self.operand(node.args[0], tight=True)}"
            case Apply(op="+" | "-" | "*" | "/"):
                return self.sum(node)
            case Apply(op="abs"):
                return self.size(node.args[0])
            case Apply(op="floor"):
                return f"{self.operand(node.args[0], tight=True)} rounded down"
            case Apply(op="min" | "max"):
                which = "least" if node.op == "min" else "greatest"
                return f"the {which} of {_listed([self.operand(arg, tight=False) for arg in node.args], 'and')}"
            case Fold(op="count" | "sum" | "min" | "max"):
                return self.folded(node)
            case Choose():
                return f"({self.value(node.yes)} if {self.clause(node.condition)}, and otherwise {self.value(node.no)})"
            case Braces():
                return "one of " + _listed([self.value(item) for item in node.items], "and")
            case _:
                return f"whether {self.part(node)}"

    def sum(self, node: Apply) -> str:
        left, right = node.args
        tight = node.op in ("*", "/")
        return (
            f"{self.operand(left, tight=tight)} {_SUMS[node.op]} {self.operand(right, tight=tight or node.op == '-')}"
        )

    def operand(self, node: Node, *, tight: bool) -> str:
        """A part of a sum; bracketed where it is a sum itself and words would leave open what comes first."""
        text = self.value(node)
        return f"({text})" if tight and isinstance(node, Apply) and node.op in _SUMS else text

    def size(self, node: Node) -> str:
        if isinstance(node, Apply) and node.op == "-" and len(node.args) == 2:
            left, right = (self.operand(arg, tight=False) for arg in node.args)
            return f"the distance between {left} and {right}"
        return f"the size of {self.operand(node, tight=True)} without its sign"

    def folded(self, node: Fold) -> str:
        source = self.value(node.source)
        if node.op == "count":
            every = isinstance(node.body, Literal) and node.body.value is True
            number = f"the number of {source}"
            return number if every else f"{number} for which {self.inside(node, self.part)}"
        word = {"sum": "sum", "min": "least", "max": "greatest"}[node.op]
        return f"the {word} of {self.inside(node, self.value)} over all {source}"

    def literal(self, node: Literal) -> str:
        match node:
            case Literal(kind="bool"):
                return "true" if node.value else "false"
            case Literal(kind="text"):
                return f"“{node.value}”"
            case Literal(kind="duration"):
                return duration_words(int(node.value))
            case Literal(kind="number"):
                return number_words(cast("Fraction", node.value))
            case _:
                return money_words(cast("Fraction", node.value), node.kind)

    def name(self, name: str) -> str:
        head, _, rest = name.partition(".")
        if head in self.bound:
            return f"the {self.bound[head]}'s {words(rest)}" if rest else f"the {self.bound[head]}"
        if head == "limit":
            now = self.limit(name)
            return f"the limit “{words(rest)}”" + (f" (now {now})" if now else "")
        if name == "now":
            return "the present time"
        if name == "principal.id":
            return "whoever acts"
        if name == "principal.roles":
            return "the roles of whoever acts"
        return f"the action's {words(rest)}" if head == "action" else words(name)


def _flat(node: Node, op: str) -> list[Node]:
    if isinstance(node, Apply) and node.op == op:
        return [part for arg in node.args for part in _flat(arg, op)]
    return [node]


def _listed(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"
