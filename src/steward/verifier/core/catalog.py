"""The invariants catalog: fact types, action kinds and rules, read from YAML documents and checked whole.

Every problem is reported with its file, the rule's id and the line and column inside the formula, not only
the first, so that an owner repairs a file in one go.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from steward.kernel.canonical import digest_hex
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant
from steward.verifier.core.formula import fault, parse
from steward.verifier.core.syntax import Apply, Node, to_json
from steward.verifier.core.types import BOOL, TEXT, TIME, Type, read_type, type_json
from steward.verifier.core.units import Scope, reads, type_of

Trouble = dict[str, str]
_RULE_KEYS = frozenset({"id", "on", "when", "require", "otherwise", "why", "examples", "code", "title"})
_EXAMPLE_KEYS = frozenset({"facts", "action", "verdict", "now", "why"})


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule. `rule` is `when implies require`, which must hold; `when` alone says if it is skipped."""

    id: str
    on: tuple[str, ...]
    when: Node | None
    require: Node
    otherwise: str
    why: str
    code: str = ""
    title: str = ""
    where: str = ""
    examples: tuple[dict[str, Any], ...] = field(default=(), compare=False)

    @property
    def rule(self) -> Node:
        return self.require if self.when is None else Apply("implies", (self.when, self.require))

    def reads(self) -> frozenset[str]:
        return reads(self.rule)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Facts by name, kinds with their parameters, rules by kind in catalog order."""

    facts: dict[str, Type]
    kinds: dict[str, dict[str, Type]]
    invariants: tuple[Invariant, ...]
    digest: str

    def covering(self, kind: str) -> tuple[Invariant, ...]:
        return tuple(rule for rule in self.invariants if kind in rule.on)

    def scope(self, kind: str) -> Scope:
        """Every name a rule on `kind` may read."""
        named = {"action.kind": TEXT, "action.id": TEXT, "principal.id": TEXT, "now": TIME}
        named["principal.roles"] = Type("set", item=TEXT)
        return {**self.facts, **named, **{f"action.{name}": kind for name, kind in self.kinds[kind].items()}}


class Reader:
    """Documents being read into one catalog, with every trouble met on the way."""

    def __init__(self) -> None:
        self.facts: dict[str, Type] = {}
        self.kinds: dict[str, dict[str, Type]] = {}
        self.invariants: list[Invariant] = []
        self.troubles: list[Trouble] = []

    def trouble(self, where: str, what: str, fix: str = "") -> None:
        self.troubles.append({"where": where, "what": what, "fix": fix})

    def entries(self, where: str, document: dict[Any, Any], section: str) -> list[tuple[str, dict[str, Any]]]:
        """The objects of one section, each with the place to name when it is wrong."""
        found: list[tuple[str, dict[str, Any]]] = []
        listed: Any = document.get(section) or []
        if not isinstance(listed, list):
            self.trouble(f"{where} {section}", "is not a list")
            return found
        for index, entry in enumerate(cast("list[Any]", listed)):
            if isinstance(entry, dict):
                plain = {("on" if key is True else key): item for key, item in cast("dict[Any, Any]", entry).items()}
                name = plain.get("id" if section == "invariants" else "name")
                if isinstance(name, str) and name:
                    found.append((f"{where} {name}", plain))
                    continue
            self.trouble(f"{where} {section}[{index}]", "has no id" if section == "invariants" else "has no name")
        return found

    def only(self, where: str, entry: dict[str, Any], known: frozenset[str]) -> None:
        for key in entry:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, 1)
                self.trouble(where, f"unknown key {key!r}", f"did you mean {near[0]}?" if near else "")

    def declare(self, where: str, entry: dict[str, Any]) -> None:
        self.only(where, entry, frozenset({"name", "type", "why"}))
        name = entry["name"]
        try:
            kind = read_type(entry.get("type"), where)
        except BadInput as error:
            self.trouble(where, error.what, error.fix)
            return
        if not all(part.isidentifier() for part in name.split(".")) or name.split(".")[0] in (
            "action",
            "principal",
        ):
            self.trouble(where, f"{name!r} cannot name a fact", "use words joined by dots, such as order.captured")
        if name == "now" or self.facts.get(name, kind) != kind:
            self.trouble(where, f"the fact {name} is declared twice, with two types")
        self.facts[name] = kind

    def kind(self, where: str, entry: dict[str, Any]) -> None:
        self.only(where, entry, frozenset({"name", "params", "why"}))
        params: Any = entry.get("params") or {}
        read: dict[str, Type] = {}
        if not isinstance(params, dict):
            self.trouble(where, "params is not an object")
            return
        for name, spec in cast("dict[Any, Any]", params).items():
            if not isinstance(name, str) or not name.isidentifier() or name in ("kind", "id"):
                self.trouble(where, f"{name!r} cannot name a parameter", "kind and id are taken")
                continue
            try:
                read[name] = read_type(spec, where)
            except BadInput as error:
                self.trouble(f"{where} {name}", error.what, error.fix)
        if self.kinds.get(entry["name"], read) != read:
            self.trouble(where, f"the kind {entry['name']} is declared twice, with other parameters")
        self.kinds[entry["name"]] = read

    def rule(self, where: str, entry: dict[str, Any], scopes: dict[str, Scope]) -> None:
        self.only(where, entry, _RULE_KEYS)
        on = self.covered(where, entry.get("on"))
        if entry.get("otherwise") not in ("deny", "escalate"):
            self.trouble(where, f"otherwise is {entry.get('otherwise')!r}", "write deny or escalate")
        if not isinstance(entry.get("why"), str) or not entry["why"].strip():
            self.trouble(where, "says no why", "one sentence for the person who is refused")
        if any(rule.id == entry["id"] for rule in self.invariants):
            self.trouble(where, f"the invariant {entry['id']} exists already")
        require = self.formula(f"{where} require", entry.get("require"), [scopes[kind] for kind in on])
        when = entry.get("when")
        condition = None if when is None else self.formula(f"{where} when", when, [scopes[kind] for kind in on])
        if require is not None and (when is None or condition is not None):
            text = {key: str(entry.get(key) or "") for key in ("why", "code", "title")}
            examples = tuple(self.examples(where, entry.get("examples")))
            otherwise = str(entry.get("otherwise"))
            self.invariants.append(
                Invariant(entry["id"], on, condition, require, otherwise, where=where, examples=examples, **text)
            )

    def covered(self, where: str, on: Any) -> tuple[str, ...]:
        named = list(self.kinds) if on in ("*", ["*"]) else [on] if isinstance(on, str) else on
        if not isinstance(named, list) or not named:
            self.trouble(where, "says no kind it is on", 'write on: [kind, ...] or on: "*"')
            return ()
        found: list[str] = []
        for kind in cast("list[Any]", named):
            if kind in self.kinds:
                found.append(kind)
            else:
                near = difflib.get_close_matches(str(kind), self.kinds, 1)
                self.trouble(where, f"{kind!r} is no declared kind", f"did you mean {near[0]}?" if near else "")
        return tuple(found)

    def formula(self, where: str, text: Any, scopes: list[Scope]) -> Node | None:
        """The formula, or None after reporting what is wrong with it. It must fit every kind it is on."""
        if isinstance(text, bool):
            text = str(text).lower()
        if not isinstance(text, str):
            self.trouble(where, "is not a formula", "write it as text in quotes")
            return None
        try:
            node = parse(text)
            for scope in scopes:
                found = type_of(node, scope)
                if found != BOOL:
                    raise fault(f"the formula is {found}, not true or false", (1, 1))
        except BadInput as error:
            self.trouble(f"{where} {error.where}".strip(), error.what, error.fix)
            return None
        return node

    def examples(self, where: str, listed: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for index, entry in enumerate(cast("list[Any]", listed) if isinstance(listed, list) else []):
            example = plain_json(entry)
            if not isinstance(example, dict) or cast("dict[str, Any]", example).get("verdict") not in (
                "ALLOW",
                "DENY",
                "ESCALATE",
            ):
                self.trouble(f"{where} examples[{index}]", "has no verdict", "write verdict: ALLOW, DENY or ESCALATE")
                continue
            self.only(f"{where} examples[{index}]", cast("dict[str, Any]", example), _EXAMPLE_KEYS)
            found.append(cast("dict[str, Any]", example))
        if listed is not None and not isinstance(listed, list):
            self.trouble(where, "examples is not a list")
        return found


def plain_json(value: Any) -> Any:
    """YAML's own dates and times as the text JSON has for them; everything else as it is."""
    if isinstance(value, datetime):
        return format_instant(value) if value.tzinfo else f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain_json(item) for key, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [plain_json(item) for item in cast("list[Any]", value)]
    return value


def _digest(reader: Reader) -> str:
    """What the catalog means: types, kinds, the syntax trees of its rules; no comments, no examples."""
    return digest_hex(
        {
            "facts": {name: type_json(kind) for name, kind in reader.facts.items()},
            "kinds": {
                name: {param: type_json(kind) for param, kind in params.items()}
                for name, params in reader.kinds.items()
            },
            "invariants": [
                {
                    "id": rule.id,
                    "on": sorted(rule.on),
                    "when": None if rule.when is None else to_json(rule.when),
                    "require": to_json(rule.require),
                    "otherwise": rule.otherwise,
                    "why": rule.why,
                    "code": rule.code,
                    "title": rule.title,
                }
                for rule in reader.invariants
            ],
        }
    )


def read_catalog(documents: list[tuple[str, dict[str, Any]]]) -> tuple[Catalog, list[Trouble]]:
    """The catalog of (file name, parsed YAML) documents, and everything that is wrong with it."""
    reader = Reader()
    known = frozenset({"facts", "kinds", "invariants"})
    for where, document in documents:
        if not isinstance(document, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - YAML is anything
            reader.trouble(where, "is not an object", "write facts:, kinds: and invariants:")
            continue
        reader.only(where, document, known)
        for place, entry in reader.entries(where, document, "facts"):
            reader.declare(place, entry)
        for place, entry in reader.entries(where, document, "kinds"):
            reader.kind(place, entry)
    draft = Catalog(reader.facts, reader.kinds, (), "")
    scopes = {kind: draft.scope(kind) for kind in reader.kinds}
    for where, document in documents:
        if isinstance(document, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            for place, entry in reader.entries(where, document, "invariants"):
                reader.rule(place, entry, scopes)
    return Catalog(reader.facts, reader.kinds, tuple(reader.invariants), _digest(reader)), reader.troubles
