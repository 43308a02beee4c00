"""Says why a rule is not fulfilled, in the values a person knows: names, amounts, the list element at fault.

The formula is walked to the atom that decides (the false side of an `and`, every side of an `or`, the element
of an `all`), and that atom is written out with its values beside its names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from steward.kernel.errors import BadInput
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined, in_order
from steward.verifier.core.printer import show
from steward.verifier.core.rules import Invariant
from steward.verifier.core.syntax import COMPARISONS, Apply, Choose, Fold, Node, Reference, children
from steward.verifier.core.types import Type
from steward.verifier.core.units import type_of
from steward.verifier.core.values import Value, value_json, value_text

_WORDS = {
    "=": "is not",
    "!=": "is",
    "<=": "is more than",
    "<": "is not less than",
    ">=": "is less than",
    ">": "is not more than",
}
_AFFIRMED = {
    "=": "is",
    "!=": "is not",
    "<=": "is at most",
    "<": "is less than",
    ">=": "is at least",
    ">": "is more than",
}
_ATOMS_MAX, _TEXT_MAX, _NAMES_MAX = 6, 600, 40


@dataclass(frozen=True, slots=True)
class Explanation:
    sentence: str
    counterexample: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """An atom with the polarity it was wanted in, and the list elements in force there.

    A quiet one (the condition of a rule that applies) lends its values, and needs no sentence.
    """

    node: Node
    wanted: bool
    bound: tuple[tuple[str, str, Value, Type], ...]
    is_quiet: bool = False


class Narrator:
    """One rule and the ground values it fails on."""

    def __init__(self, values: dict[str, Value], scope: dict[str, Type]) -> None:
        self.values = dict(values)
        self.scope = dict(scope)
        self.found: list[Fault] = []
        self.bound: list[tuple[str, str, Value, Type]] = []

    def truth(self, node: Node) -> bool | None:
        return Evaluator(dict(self.values)).truth(node)

    def walk(self, node: Node, wanted: bool) -> None:
        """Collect the atoms because of which `node` is not `wanted`."""
        if len(self.found) >= _ATOMS_MAX or self.truth(node) is wanted:
            return
        match node:
            case Apply(op="not"):
                self.walk(node.args[0], not wanted)
            case Apply(op="and" | "or"):
                for arg in node.args:
                    self.walk(arg, wanted)
            case Apply(op="implies") if not wanted:
                self.walk(node.args[0], wanted=True)
                self.walk(node.args[1], wanted)
            case Apply(op="implies"):
                self.walk(node.args[1], wanted)
                self.found.append(Fault(node.args[0], not wanted, tuple(self.bound), is_quiet=True))
            case Choose() if self.truth(node.condition) is not None:
                self.walk(node.yes if self.truth(node.condition) else node.no, wanted)
            case Fold(op="all" | "any") if (node.op == "all") is wanted:
                self.element(node, wanted)
            case _:
                self.found.append(Fault(node, wanted, tuple(self.bound)))

    def element(self, node: Fold, wanted: bool) -> None:
        """Walk into the first element at fault."""
        source = cast("Reference", node.source)
        items = Evaluator(dict(self.values)).value(source)
        kind = cast("Type", type_of(source, self.scope).item)
        for index, item in enumerate(in_order(items)):
            self.values[node.variable], self.scope[node.variable] = item, kind
            at_fault = self.truth(node.body) is not wanted
            if at_fault:
                self.bound.append((node.variable, f"{source.name}[{index}]", item, kind))
                self.walk(node.body, wanted)
                self.bound.pop()
            del self.values[node.variable], self.scope[node.variable]
            if at_fault:
                return


class Teller:
    """Writes one fault out, with values beside names."""

    def __init__(self, fault: Fault, values: dict[str, Value], scope: dict[str, Type]) -> None:
        self.fault = fault
        self.values = {**values, **{name: item for name, _, item, _ in fault.bound}}
        self.scope = {**scope, **{name: kind for name, _, _, kind in fault.bound}}

    def known(self, node: Node) -> str | None:
        """The value of a part as text, or None where it has none."""
        try:
            return value_text(Evaluator(dict(self.values)).value(node), type_of(node, self.scope))
        except (Undefined, Undecided, BadInput):
            return None

    def name(self, name: str) -> str:
        head, _, rest = name.partition(".")
        place = next((place for variable, place, _, _ in self.fault.bound if variable == head), head)
        return f"{place}.{rest}" if rest else place

    def side(self, node: Node) -> str:
        """A side of a comparison: `name value`, or the sum written out and its total."""
        total = self.known(node)
        if isinstance(node, Reference):
            return f"{self.name(node.name)} {total}"
        if not any(isinstance(part, Reference) for part in _walk(node)):
            return total or show(node)
        text = self.written(node)
        return f"{text} = {total}" if total is not None and text != total else text

    def written(self, node: Node) -> str:
        match node:
            case Reference():
                return f"{self.name(node.name)} {self.known(node)}"
            case Apply(op="+" | "-" | "*" | "/") if len(node.args) == 2:
                left, right = (self._inner(node, arg) for arg in node.args)
                return f"{left} {node.op} {right}"
            case Apply(op="abs" | "min" | "max" | "floor"):
                return f"{node.op}({', '.join(self.written(arg) for arg in node.args)})"
            case _:
                return show(node)

    def _inner(self, parent: Apply, node: Node) -> str:
        text = self.written(node)
        loose = isinstance(node, Apply) and node.op in ("+", "-") and (parent.op in ("*", "/", "-"))
        return f"({text})" if loose else text

    def sentence(self) -> str:
        node = self.fault.node
        if isinstance(node, Apply) and node.op in COMPARISONS:
            words = _WORDS if self.fault.wanted else _AFFIRMED
            text = f"{self.side(node.args[0])} {words[node.op]} {self.side(node.args[1])}"
        elif isinstance(node, Apply) and node.op == "in":
            word = "is not in" if self.fault.wanted else "is in"
            text = f"{self.side(node.args[0])} {word} {self.side(node.args[1])}"
        elif isinstance(node, Apply) and node.op == "matches":
            word = "does not match" if self.fault.wanted else "matches"
            text = f"{self.side(node.args[0])} {word} {show(node.args[1])}"
        elif isinstance(node, Reference):
            text = f"{self.name(node.name)} is {self.known(node)}"
        else:
            text = f"{show(node)} is {'not true' if self.fault.wanted else 'true'}"
        return text

    def context(self) -> list[str]:
        """The texts of the elements at fault (order id, sku), which say which one it is."""
        return [
            f"{place}.{name} {value_text(item[name], field)}"
            for _, place, item, kind in self.fault.bound
            for name, field in kind.fields
            if field.name in ("text", "enum")
        ]


def _walk(node: Node) -> list[Node]:
    return [node, *(part for child in children(node) for part in _walk(child))]


def explain(rule: Invariant, values: dict[str, Value], scope: dict[str, Type]) -> Explanation:
    """One sentence and {name: value} of a rule that does not hold on ground values."""
    narrator = Narrator(values, scope)
    narrator.walk(rule.rule, wanted=True)
    sentences: list[str] = []
    context: list[str] = []
    shown: dict[str, Any] = {}
    for fault in narrator.found:
        teller = Teller(fault, values, scope)
        sentences += [] if fault.is_quiet else [teller.sentence()]
        context += teller.context()
        for _, place, item, kind in fault.bound:
            if kind.name == "record":
                shown.update({f"{place}.{name}": value_json(item[name], field) for name, field in kind.fields})
            else:
                shown[place] = value_json(item, kind)
        bound = {variable for variable, _, _, _ in fault.bound}
        for part in _walk(fault.node):
            if isinstance(part, Reference) and part.name in values and part.name.partition(".")[0] not in bound:
                shown[part.name] = value_json(values[part.name], scope[part.name])
    if not shown:
        shown = {name: value_json(values[name], scope[name]) for name in sorted(rule.reads()) if name in values}
    where = ", ".join(dict.fromkeys(context))
    text = "; ".join(dict.fromkeys(sentences)) + (f" (where {where})" if where else "")
    return Explanation(text[:_TEXT_MAX] or rule.why, dict(list(shown.items())[:_NAMES_MAX]))
