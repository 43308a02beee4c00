"""The invariants catalog: fact types, action kinds and rules, read from YAML documents and checked whole.

Every problem is reported with its file, the rule's id and the line and column inside the formula, not only
the first, so that an owner repairs a file in one go.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction
from typing import Any, cast

from steward.kernel.canonical import digest_hex
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant
from steward.verifier.core.formula import fault, parse
from steward.verifier.core.rules import Bounds, Catalog, Invariant, State
from steward.verifier.core.spots import Spot
from steward.verifier.core.syntax import Node, to_json
from steward.verifier.core.types import BOOL, INT, NUMERIC, Type, read_type, type_json
from steward.verifier.core.units import Scope, fits, type_of
from steward.verifier.core.values import read_value

Trouble = dict[str, str]
_RULE_KEYS = frozenset(
    ["id", "on", "when", "require", "otherwise", "why", "examples", "code", "title", "owner", "severity"]
)
_STATE_KEYS = frozenset({"id", "holds", "why", "title", "owner"})
_SEVERITIES = ("low", "medium", "high", "critical")
_WITNESS_KEYS = frozenset({"facts", "action", "now"})
_WITH_ID = ("invariants", "states")
_ENDS = ("least", "most")
_EXAMPLE_KEYS = frozenset({"facts", "action", "verdict", "now", "why"})


class Reader:
    """Documents being read into one catalog, with every trouble met on the way."""

    def __init__(self) -> None:
        self.facts: dict[str, Type] = {}
        self.kinds: dict[str, dict[str, Type]] = {}
        self.invariants: list[Invariant] = []
        self.bounds: dict[str, Bounds] = {}
        self.states: list[State] = []
        self.effects: dict[str, dict[str, Node]] = {}
        self.witnesses: dict[str, dict[str, Any]] = {}
        self.troubles: list[Trouble] = []

    def trouble(self, spot: Spot, what: str, fix: str = "", within: str = "") -> None:
        self.troubles.append({"where": spot.where(within), "what": what, "fix": fix})

    def entries(self, spot: Spot, document: dict[Any, Any], section: str) -> list[tuple[Spot, dict[str, Any]]]:
        """The objects of one section, each with the place to name when it is wrong."""
        found: list[tuple[Spot, dict[str, Any]]] = []
        listed: Any = document.get(section) or []
        if not isinstance(listed, list):
            self.trouble(spot.part(section), "is not a list", f"write {section}: and below it lines that begin with -")
            return found
        for index, entry in enumerate(cast("list[Any]", listed)):
            if isinstance(entry, dict):
                plain = {("on" if key is True else key): item for key, item in cast("dict[Any, Any]", entry).items()}
                name = plain.get("id" if section in _WITH_ID else "name")
                if isinstance(name, str) and name:
                    found.append((spot.called(name, section, index), plain))
                    continue
            what = "has no id" if section in _WITH_ID else "has no name"
            place = spot.called(f"{section}[{index}]", section, index)
            self.trouble(place, what, "write " + what.removeprefix("has no ") + ": and a word")
        return found

    def only(self, spot: Spot, entry: dict[str, Any], known: frozenset[str]) -> None:
        for key in entry:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, 1)
                fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
                self.trouble(spot.called("", key), f"unknown key {key!r}", fix)

    def declare(self, spot: Spot, entry: dict[str, Any]) -> None:
        self.only(spot, entry, frozenset({"name", "type", "why", "least", "most"}))
        name = entry["name"]
        try:
            kind = read_type(entry.get("type"))
        except BadInput as error:
            self.trouble(spot.called("", "type"), error.what, error.fix)
            return
        if not all(part.isidentifier() for part in name.split(".")) or name.split(".")[0] in (
            "action",
            "principal",
        ):
            self.trouble(spot, f"{name!r} cannot name a fact", "use words joined by dots, such as order.captured")
        if name == "now" or self.facts.get(name, kind) != kind:
            self.trouble(spot, f"the fact {name} is declared twice, with two types", "keep one of them")
        self.facts[name] = kind
        least, most = (self.bound(spot.part(end), entry[end], kind) if end in entry else None for end in _ENDS)
        if least is not None and most is not None and least > most:
            self.trouble(spot, f"least {entry['least']} is more than most {entry['most']}", "exchange them")
        if least is not None or most is not None:
            if self.bounds.get(name, (least, most)) != (least, most):
                self.trouble(spot, f"the fact {name} is declared twice, with other bounds", "keep one of them")
            self.bounds[name] = (least, most)

    def bound(self, spot: Spot, value: Any, kind: Type) -> Fraction | None:
        """An end of what a fact may be, in the unit its values are counted in."""
        if kind.name not in NUMERIC:
            self.trouble(spot, f"{kind} has no least and most", f"only {', '.join(NUMERIC)} have")
            return None
        try:
            return cast("Fraction", read_value(plain_json(value), INT if kind.name == "money" else kind))
        except BadInput as error:
            fix = "write minor units, such as 1250" if kind.name == "money" else "write it as a fact is written"
            self.trouble(spot, error.what, fix)
            return None

    def kind(self, spot: Spot, entry: dict[str, Any]) -> None:
        self.only(spot, entry, frozenset({"name", "params", "why", "effect", "witness"}))
        params: Any = entry.get("params") or {}
        read: dict[str, Type] = {}
        if not isinstance(params, dict):
            self.trouble(spot.part("params"), "is not an object", "write params: {NAME: TYPE}")
            return
        for name, spec in cast("dict[Any, Any]", params).items():
            if not isinstance(name, str) or not name.isidentifier() or name in ("kind", "id"):
                self.trouble(spot, f"{name!r} cannot name a parameter", "kind and id are taken")
                continue
            try:
                read[name] = read_type(spec)
            except BadInput as error:
                self.trouble(spot.called(name, "params", name), error.what, error.fix)
        if self.kinds.get(entry["name"], read) != read:
            self.trouble(spot, f"the kind {entry['name']} is declared twice, with other parameters", "keep one of them")
        self.kinds[entry["name"]] = read

    def state(self, spot: Spot, entry: dict[str, Any]) -> None:
        """A state rule: facts only, so that it can be said of a state nobody acts in."""
        self.only(spot, entry, _STATE_KEYS)
        self.said(spot, entry)
        holds = self.formula(spot.part("holds"), entry.get("holds"), [dict(self.facts)])
        if holds is not None:
            text = {key: str(entry.get(key) or "") for key in ("why", "title", "owner")}
            self.states.append(State(entry["id"], holds, where=spot.name, **text))

    def said(self, spot: Spot, entry: dict[str, Any]) -> None:
        """What every rule says of itself: a name of its own, and why it is there."""
        if not isinstance(entry.get("why"), str) or not entry["why"].strip():
            self.trouble(spot, "says no why", "one sentence for the person who is refused")
        if any(rule.id == entry["id"] for rule in (*self.invariants, *self.states)):
            self.trouble(spot, f"the rule {entry['id']} exists already", "choose another id")

    def effect(self, spot: Spot, entry: dict[str, Any], scope: Scope) -> None:
        """What the kind does to the facts: {fact: formula of its value afterwards}."""
        listed: Any = entry.get("effect") or {}
        if not isinstance(listed, dict):
            self.trouble(spot.part("effect"), "is not an object", "write effect: {FACT: FORMULA}")
            return
        found: dict[str, Node] = {}
        for fact, text in cast("dict[Any, Any]", listed).items():
            place = spot.part("effect", fact)
            if fact not in self.facts:
                near = difflib.get_close_matches(str(fact), self.facts, 1, 0.5)
                self.trouble(place, "is no declared fact", f"did you mean {near[0]}?" if near else "declare it")
            elif self.facts[fact].item is not None:
                self.trouble(place, f"is a {self.facts[fact].name}", "an effect changes single values")
            else:
                node = self.formula(place, text, [scope], self.facts[fact])
                found |= {} if node is None else {fact: node}
        if self.effects.get(entry["name"], found) != found:
            self.trouble(spot, f"the kind {entry['name']} is declared twice, with other effects", "keep one of them")
        self.effects |= {entry["name"]: found} if found else {}

    def witness(self, spot: Spot, entry: dict[str, Any]) -> None:
        """One action of the kind that comes out ALLOW, kept as it stands for `Verifier.self_test` to run."""
        given = plain_json(entry.get("witness"))
        if not isinstance(given, dict):
            self.trouble(spot.part("witness"), "is not an object", "write witness: {facts: {...}, action: {...}}")
            return
        self.only(spot.part("witness"), cast("dict[str, Any]", given), _WITNESS_KEYS)
        self.witnesses[entry["name"]] = cast("dict[str, Any]", given)

    def rule(self, spot: Spot, entry: dict[str, Any], scopes: dict[str, Scope]) -> None:
        self.only(spot, entry, _RULE_KEYS)
        on = self.covered(spot.called("", "on") if "on" in entry else spot, entry.get("on"))
        if entry.get("otherwise") not in ("deny", "escalate"):
            self.trouble(
                spot.called("", "otherwise"), f"otherwise is {entry.get('otherwise')!r}", "write deny or escalate"
            )
        if entry.get("severity") not in (None, *_SEVERITIES):
            fix = f"write one of {', '.join(_SEVERITIES)}"
            self.trouble(spot.called("", "severity"), f"severity is {entry.get('severity')!r}", fix)
        self.said(spot, entry)
        require = self.formula(spot.part("require"), entry.get("require"), [scopes[kind] for kind in on])
        when = entry.get("when")
        condition = None if when is None else self.formula(spot.part("when"), when, [scopes[kind] for kind in on])
        if require is not None and (when is None or condition is not None):
            text = {key: str(entry.get(key) or "") for key in ("why", "code", "title", "owner", "severity")}
            examples = tuple(self.examples(spot, entry.get("examples")))
            otherwise = str(entry.get("otherwise"))
            self.invariants.append(
                Invariant(entry["id"], on, condition, require, otherwise, where=spot.name, examples=examples, **text)
            )

    def covered(self, spot: Spot, on: Any) -> tuple[str, ...]:
        named = list(self.kinds) if on in ("*", ["*"]) else [on] if isinstance(on, str) else on
        if not isinstance(named, list) or not named:
            self.trouble(spot, "says no kind it is on", 'write on: [kind, ...] or on: "*"')
            return ()
        found: list[str] = []
        for kind in cast("list[Any]", named):
            if kind in self.kinds:
                found.append(kind)
            else:
                near = difflib.get_close_matches(str(kind), self.kinds, 1)
                self.trouble(
                    spot, f"{kind!r} is no declared kind", f"did you mean {near[0]}?" if near else _among(self.kinds)
                )
        return tuple(found)

    def formula(self, spot: Spot, text: Any, scopes: list[Scope], wanted: Type = BOOL) -> Node | None:
        """The formula, or None after reporting what is wrong with it. It must fit every kind it is on."""
        if isinstance(text, bool):
            text = str(text).lower()
        if not isinstance(text, str):
            self.trouble(spot, "is missing" if text is None else "is not a formula", "write it as text in quotes")
            return None
        try:
            node = parse(text)
            for scope in scopes:
                found = type_of(node, scope)
                if not fits(node, wanted, scope):
                    said = "true or false" if wanted == BOOL else str(wanted)
                    raise fault(f"the formula is {found}, not {said}", (1, 1))
        except BadInput as error:
            self.trouble(spot, error.what, error.fix, error.where)
            return None
        return node

    def examples(self, spot: Spot, listed: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for index, entry in enumerate(cast("list[Any]", listed) if isinstance(listed, list) else []):
            example = plain_json(entry)
            place = spot.called(f"examples[{index}]", "examples", index)
            if not isinstance(example, dict) or cast("dict[str, Any]", example).get("verdict") not in (
                "ALLOW",
                "DENY",
                "ESCALATE",
            ):
                self.trouble(place, "has no verdict", "write verdict: ALLOW, DENY or ESCALATE")
                continue
            self.only(place, cast("dict[str, Any]", example), _EXAMPLE_KEYS)
            found.append(cast("dict[str, Any]", example))
        if listed is not None and not isinstance(listed, list):
            self.trouble(spot.part("examples"), "is not a list", "write examples: and below it lines that begin with -")
        return found


def _among(names: Iterable[str]) -> str:
    return f"there are {', '.join(sorted(names))}" if names else "declare it under kinds"


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


def _document(reader: Reader) -> dict[str, Any]:
    """What the catalog means: types, kinds, the syntax trees of its rules; no comments, no examples.

    A part that is absent adds nothing, so a catalog without effects keeps the digest it had before there were any.
    """
    ends = {name: [None if end is None else str(end) for end in pair] for name, pair in reader.bounds.items()}
    added: dict[str, Any] = {
        "bounds": ends,
        "states": [
            {"id": state.id, "holds": to_json(state.holds), "why": state.why, **_named(state.title, state.owner)}
            for state in reader.states
        ],
        "effects": {
            kind: {fact: to_json(node) for fact, node in effect.items()} for kind, effect in reader.effects.items()
        },
        "witnesses": reader.witnesses,
    }
    return {
        "facts": {name: type_json(kind) for name, kind in reader.facts.items()},
        "kinds": {
            name: {param: type_json(kind) for param, kind in params.items()} for name, params in reader.kinds.items()
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
                **_named("", rule.owner, rule.severity),
            }
            for rule in reader.invariants
        ],
        **{name: part for name, part in added.items() if part},
    }


def _named(title: str = "", owner: str = "", severity: str = "") -> dict[str, str]:
    """Those of the optional texts that are there."""
    texts = {"title": title, "owner": owner, "severity": severity}
    return {name: text for name, text in texts.items() if text}


def read_catalog(documents: list[tuple[str, dict[str, Any]]]) -> tuple[Catalog, list[Trouble]]:
    """The catalog of (file name, parsed YAML) documents, and everything that is wrong with it."""
    reader = Reader()
    known = frozenset({"facts", "kinds", "states", "invariants"})
    whole: list[tuple[Spot, dict[str, Any]]] = []
    for file, document in documents:
        spot = Spot(file, document)
        if not isinstance(document, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - YAML is anything
            reader.trouble(spot, "is not an object", "write facts:, kinds:, states: and invariants:")
            continue
        whole.append((spot, document))
        reader.only(spot, document, known)
        for place, entry in reader.entries(spot, document, "facts"):
            reader.declare(place, entry)
        for place, entry in reader.entries(spot, document, "kinds"):
            reader.kind(place, entry)
    draft = Catalog(reader.facts, reader.kinds, (), "")
    scopes = {kind: draft.scope(kind) for kind in reader.kinds}
    for spot, document in whole:
        for place, entry in reader.entries(spot, document, "states"):
            reader.state(place, entry)
        for place, entry in reader.entries(spot, document, "invariants"):
            reader.rule(place, entry, scopes)
        for place, entry in reader.entries(spot, document, "kinds"):
            if entry["name"] in scopes and "effect" in entry:
                reader.effect(place, entry, scopes[entry["name"]])
            if "witness" in entry:
                reader.witness(place, entry)
    rules, states = tuple(reader.invariants), tuple(reader.states)
    document = _document(reader)
    found = Catalog(
        reader.facts,
        reader.kinds,
        rules,
        digest_hex(document),
        reader.bounds,
        states,
        reader.effects,
        reader.witnesses,
        document,
    )
    return found, _once(reader.troubles)


def _once(troubles: list[Trouble]) -> list[Trouble]:
    """Each trouble once: a section read in two passes may be found wrong in both."""
    return [trouble for index, trouble in enumerate(troubles) if trouble not in troubles[:index]]
