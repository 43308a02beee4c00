"""Everything the catalog says about one of its rules, state rules or kinds, in words and as JSON."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, cast

from steward.kernel.errors import BadInput
from steward.verifier.core.rules import Catalog, Invariant, State
from steward.verifier.core.sentences import English, value_words, words
from steward.verifier.core.syntax import Apply, Choose, Node, Reference
from steward.verifier.core.theorems import Book

_UNCERTAIN = {
    "low": "an interval: the rule must hold for every value from its low end to its high end",
    "any_subset_of": "a sum of which any subset may take effect: the rule must hold for every subset",
}


class Describer:
    """One catalog with the values of its limits, its theorems, and the documents its facts' reasons stand in."""

    def __init__(
        self, catalog: Catalog, limits: dict[str, Any], book: Book, documents: list[tuple[str, dict[str, Any]]]
    ) -> None:
        self.catalog = catalog
        self.limits = {f"limit.{name.removeprefix('limit.')}": value for name, value in limits.items()}
        self.book = book
        self.reasons = {section: _reasons(documents, section) for section in ("facts", "kinds")}
        self.uncertain = dict(_uncertain(catalog))
        self.english = English(self.limit_now)

    def limit_now(self, name: str) -> str:
        return value_words(self.limits[name]) if name in self.limits else ""

    def describe(self, name: str) -> dict[str, Any]:
        """What `name` is, in words; `BadInput` with the nearest name where there is no such rule or kind."""
        rule = next((rule for rule in self.catalog.invariants if rule.id == name), None)
        if rule is not None:
            return self.invariant(rule)
        state = next((state for state in self.catalog.states if state.id == name), None)
        if state is not None:
            return self.state(state)
        if name in self.catalog.kinds:
            return self.kind(name)
        near = difflib.get_close_matches(name, self.names(), 1, 0.4)
        fix = f"did you mean {near[0]}?" if near else f"there is, for one, {self.names()[0]}" if self.names() else ""
        raise BadInput(f"the catalog has no rule and no kind {name!r}", fix=fix)

    def names(self) -> list[str]:
        """Every name that can be explained."""
        rules = [rule.id for rule in (*self.catalog.invariants, *self.catalog.states)]
        return [*rules, *self.catalog.kinds]

    def rule_words(self, rule: Invariant) -> str:
        if rule.when is None:
            return self.english.sentence(rule.require)
        return f"If {self.english.clause(rule.when)}, then {self.english.part(rule.require)}."

    def invariant(self, rule: Invariant) -> dict[str, Any]:
        named = rule.reads()
        return {
            "what": "invariant",
            "name": rule.id,
            "title": rule.title or rule.id,
            "sentence": self.rule_words(rule),
            "otherwise": _otherwise(rule.otherwise),
            "severity": rule.severity or "not set",
            "owner": rule.owner or "not set",
            "why": rule.why,
            "kinds": list(rule.on),
            "facts": self.facts(named),
            "limits": self.limits_of(named),
            "theorems": self.using(rule.id),
        }

    def state(self, state: State) -> dict[str, Any]:
        named = state.reads()
        kinds = [kind for kind in self.catalog.kinds if state in self.catalog.touched(kind)]
        return {
            "what": "state rule",
            "name": state.id,
            "title": state.title or state.id,
            "sentence": f"At all times: {self.english.clause(state.holds)}.",
            "owner": state.owner or "not set",
            "why": state.why,
            "kinds": kinds,
            "facts": self.facts(named),
            "limits": self.limits_of(named),
            "proved": [f"{kind} keeps it" for kind in kinds if (kind, state.id) in self.book],
            "theorems": self.using(state.id),
        }

    def kind(self, name: str) -> dict[str, Any]:
        effect = self.catalog.effects.get(name, {})
        return {
            "what": "kind of action",
            "name": name,
            "why": self.reasons["kinds"].get(name, ""),
            "parameters": {param: str(kind) for param, kind in self.catalog.kinds[name].items()},
            "effect": [self.change(fact, node) for fact, node in effect.items()],
            "rules": [
                {"name": rule.id, "sentence": self.rule_words(rule), "otherwise": _otherwise(rule.otherwise)}
                for rule in self.catalog.covering(name)
            ],
            "theorems": [f"{kind} keeps {state}" for kind, state in self.book if kind == name],
        }

    def change(self, fact: str, node: Node) -> str:
        """One line of an effect: what the fact becomes, as growth or fall where it is one."""
        if isinstance(node, Choose):
            condition = self.english.clause(node.condition)
            yes, no = self.move(fact, node.yes), self.move(fact, node.no)
            return f"{words(fact)}: if {condition}, it {yes}; otherwise it {no}"
        return f"{words(fact)} {self.move(fact, node)}"

    def move(self, fact: str, node: Node) -> str:
        if node == Reference(fact):
            return "stays as it is"
        if isinstance(node, Apply) and len(node.args) == 2 and node.args[0] == Reference(fact):
            verb = {"+": "grows by", "-": "falls by"}.get(node.op)
            if verb is not None:
                return f"{verb} {self.english.value(node.args[1])}"
        return f"becomes {self.english.value(node)}"

    def facts(self, named: Iterable[str]) -> list[dict[str, str]]:
        """The facts a rule reads: in words, with type and reason, and how they may be uncertain."""
        return [
            {
                "name": name,
                "words": words(name),
                "type": str(self.catalog.facts[name]),
                "why": self.reasons["facts"].get(name, ""),
                "uncertain": self.uncertain.get(name, ""),
            }
            for name in sorted(named)
            if name in self.catalog.facts and not name.startswith("limit.")
        ]

    def limits_of(self, named: Iterable[str]) -> list[dict[str, str]]:
        return [
            {
                "name": name.removeprefix("limit."),
                "now": self.limit_now(name) or "not set",
                "why": self.reasons["facts"].get(name, ""),
            }
            for name in sorted(named)
            if name.startswith("limit.")
        ]

    def using(self, rule: str) -> list[str]:
        """The theorems that take the rule as a premise."""
        return [f"{kind} keeps {state}" for (kind, state), theorem in self.book.items() if rule in theorem.uses]


def _otherwise(word: str) -> str:
    return "the action is refused" if word == "deny" else "a person decides"


def _reasons(documents: list[tuple[str, dict[str, Any]]], section: str) -> dict[str, str]:
    lists = [cast("list[Any]", document.get(section) or []) for _, document in documents]
    listed = [entry for entries in lists for entry in entries]
    found = [cast("dict[str, Any]", entry) for entry in listed if isinstance(entry, dict)]
    return {str(entry.get("name")): str(entry["why"]) for entry in found if entry.get("why")}


def _uncertain(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """The facts that an example or a witness gives as an interval or as a sum of which any subset commits."""
    given = [example for rule in catalog.invariants for example in rule.examples]
    for example in [*given, *catalog.witnesses.values()]:
        for name, value in cast("dict[str, Any]", example.get("facts") or {}).items():
            for key, meaning in _UNCERTAIN.items():
                if isinstance(value, dict) and key in cast("dict[str, Any]", value):
                    yield name, meaning


def told(found: dict[str, Any]) -> str:
    """A description as text for a person."""
    lines = [f"{found['name']}: {found.get('title') or found['what']}", *_line("", found.get("sentence"))]
    for key in ("otherwise", "severity", "owner", "why"):
        lines += _line(f"{key}: ", found.get(key))
    lines += _line("on: ", ", ".join(found.get("kinds", ())))
    lines += _section("parameters", [f"{name}: {kind}" for name, kind in found.get("parameters", {}).items()])
    lines += _section("afterwards", found.get("effect", ()))
    lines += _section(
        "rules",
        [f"{rule['name']}: {rule['sentence']} Otherwise {rule['otherwise']}." for rule in found.get("rules", ())],
    )
    lines += _section(
        "limits", [_because(f"{one['name']} is {one['now']}", one["why"]) for one in found.get("limits", ())]
    )
    lines += _section(
        "facts",
        [_because(f"{one['words']} ({one['type']})", one["why"], one["uncertain"]) for one in found.get("facts", ())],
    )
    lines += _section("proved for all states", found.get("proved", ()))
    lines += _section("theorems that use it" if "rules" not in found else "theorems", found.get("theorems", ()))
    return "\n".join(lines)


def _because(text: str, *more: str) -> str:
    return ": ".join([text, "; ".join(part for part in more if part)]) if any(more) else text


def _line(label: str, text: str | None) -> list[str]:
    return [f"  {label}{text}"] if text else []


def _section(title: str, lines: Iterable[str]) -> list[str]:
    listed = [f"    {line}" for line in lines]
    return [f"  {title}:", *listed] if listed else []
