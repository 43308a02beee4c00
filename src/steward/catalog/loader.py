"""Read the catalog's files into contracts; a file that does not fit names itself and what is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import yaml
from pydantic import ValidationError

from steward.catalog.lines import Document, line_of
from steward.contracts.base import Contract
from steward.contracts.event import EventSpec
from steward.contracts.history import HistoryRules
from steward.contracts.invariant import InvariantSpec, RuleFile
from steward.contracts.kind import ActionKind, AgentSpec, Limit, RiskPolicy, Role
from steward.contracts.ledger import Account, PostingRule
from steward.contracts.port import Port, Route
from steward.kernel.canonical import JsonObject, canonical_text, digest_hex
from steward.kernel.errors import CatalogError

Model = TypeVar("Model", bound=Contract)
Problem = dict[str, str]
"""`where`, `what`, `fix`: an entry of `steward catalog check`."""


_PARTS: dict[str, type[Contract]] = {
    "limits": Limit,
    "risk": RiskPolicy,
    "roles": Role,
    "chart": Account,
    "postings": PostingRule,
    "events": EventSpec,
    "kinds": ActionKind,
    "ports": Port,
    "routes": Route,
    "agents": AgentSpec,
}


if TYPE_CHECKING:
    _Base = yaml.SafeLoader
else:  # the same loader over libyaml where it was built in: five times faster, and every command reads the catalog
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Base):
    """YAML without floats or repeated keys: money and ratios must not pass through binary fractions."""


def _no_float(_loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    raise CatalogError(
        f"line {node.start_mark.line + 1}: {node.value} is not exact",
        fix="write ratios in quotes, money in minor units",
    )


def _unique_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key: Any = loader.construct_object(key_node, deep=True)  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
        if key in result:
            raise CatalogError(f"line {key_node.start_mark.line + 1}: key {key!r} stands twice")
        result[key] = loader.construct_object(value_node, deep=True)  # pyright: ignore[reportUnknownMemberType] - the same
    return result


_StrictLoader.add_constructor("tag:yaml.org,2002:float", _no_float)
_StrictLoader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)
# Times stay text, because YAML's timestamps would lose their offset; and only true and false are truth values, because
# a key `on` is a word here.
_StrictLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])  # pyright: ignore[reportUnknownMemberType] - the same


def parse_yaml(text: str, where: str) -> Any:
    """YAML with exact values only; `CatalogError` names the file and line."""
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  (a SafeLoader, stricter)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise CatalogError(f"{line}{getattr(error, 'problem', error)}", where=where) from error
    except CatalogError as error:
        raise CatalogError(error.what, where=where, fix=error.fix) from error


def read_yaml_folder(folder: Traversable | Path) -> list[tuple[str, JsonObject]]:
    """Every *.yaml of a folder in name order, as (file name, document)."""
    if not folder.is_dir():
        raise CatalogError("is not a folder", where=str(folder))
    documents: list[tuple[str, JsonObject]] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".yaml"):
            try:
                text = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CatalogError(f"cannot be read: {error}", where=file.name) from error
            document = parse_yaml(text, file.name)
            if not isinstance(document, dict):
                raise CatalogError("is not a mapping", where=file.name)
            documents.append((file.name, Document(cast("JsonObject", document), file)))
    return documents


@dataclass(frozen=True)
class Catalog:
    """Everything the business set down, loaded and typed."""

    limits: tuple[Limit, ...]
    risk: tuple[RiskPolicy, ...]
    roles: tuple[Role, ...]
    chart: tuple[Account, ...]
    postings: tuple[PostingRule, ...]
    events: tuple[EventSpec, ...]
    kinds: tuple[ActionKind, ...]
    ports: tuple[Port, ...]
    routes: tuple[Route, ...]
    agents: tuple[AgentSpec, ...]
    history: HistoryRules
    invariants: tuple[tuple[str, JsonObject], ...]
    root: Traversable | None = field(default=None, compare=False, repr=False)
    """Where it was read from, so that what is wrong with it can be found there."""

    @property
    def digest(self) -> str:
        """SHA-256 of the whole catalog in canonical form."""
        return self._canonical[1]

    @property
    def text(self) -> str:
        """The whole catalog as canonical JSON: what its digest covers."""
        return self._canonical[0]

    @cached_property
    def _canonical(self) -> tuple[str, str]:
        body = {name: [item.model_dump(mode="json") for item in getattr(self, name)] for name in _PARTS}
        history = self.history.model_dump(mode="json")
        for name in ("fee_codes", "shipping_codes", "unpriced_codes"):
            history[name] = sorted(history[name])  # a set has no order of its own
        whole = {**body, "history": history, "invariants": [list(pair) for pair in self.invariants]}
        return canonical_text(whole), digest_hex(whole)

    def at(self, file: str, *path: str | int) -> str:
        """A file of the catalog with the line at which a part of it stands: where a problem is."""
        line = None if self.root is None else line_of(self.root.joinpath(*file.split("/")), path)
        return file if line is None else f"{file} line {line}"

    def limit(self, name: str) -> Any:
        for limit in self.limits:
            if limit.name == name:
                return limit.value
        raise CatalogError(f"there is no limit {name!r}", where="limits.yaml")

    def limit_facts(self) -> JsonObject:
        """Limits as the verifier reads them: NAME -> value."""
        return {limit.name: limit.value for limit in self.limits}

    @cached_property
    def documents(self) -> list[tuple[str, JsonObject]]:
        """Everything the verifier reads: limits as facts, every kind, every file of rules."""
        limits = [
            {"name": f"limit.{limit.name}", "type": _type_of(limit.value), "why": limit.why, **_least(limit.value)}
            for limit in self.limits
        ]
        kinds = [self._in_file(f"actions/{kind.kind}.yaml", {"kinds": [_kind(kind)]}, 2) for kind in self.kinds]
        rules = [(f"invariants/{name}", document) for name, document in self.invariants]
        return [self._in_file("limits.yaml", {"facts": limits}, 1), *kinds, *rules]

    def _in_file(self, name: str, document: JsonObject, wrapped: int) -> tuple[str, JsonObject]:
        """A document made of a file; the first `wrapped` steps of a path in it are not in the file."""
        if self.root is None:
            return name, document
        return name, Document(document, self.root.joinpath(*name.split("/")), lambda path: path[wrapped:])

    @cached_property
    def rule_files(self) -> tuple[tuple[str, RuleFile], ...]:
        """The files of rules as contracts."""
        folder = None if self.root is None else self.root / "invariants"
        return tuple(
            (name, model_of(RuleFile, document, f"invariants/{name}", None if folder is None else folder / name))
            for name, document in self.invariants
        )

    def rules_on(self, kind: str) -> tuple[InvariantSpec, ...]:
        """The rules on one kind, in catalog order."""
        return tuple(
            rule for _, file in self.rule_files for rule in file.invariants if rule.on == "*" or kind in rule.on
        )

    def kind(self, name: str) -> ActionKind | None:
        return next((kind for kind in self.kinds if kind.kind == name), None)

    def rules_by_event(self) -> dict[str, tuple[PostingRule, ...]]:
        """The posting rules of each event, in the order in which they are tried."""
        events = dict.fromkeys(rule.event for rule in self.postings)
        return {event: tuple(rule for rule in self.postings if rule.event == event) for event in events}


def _type_of(value: Any) -> str:
    """How the verifier reads a limit: an amount is money, a ratio a decimal."""
    return "money" if isinstance(value, dict) else "decimal" if isinstance(value, str) else "int"


def _least(value: Any) -> JsonObject:
    """A limit that is not negative is never negative: theorems may count on it."""
    number = cast("JsonObject", value)["amount_minor"] if isinstance(value, dict) else value
    return {} if str(number).startswith("-") else {"least": 0}


def _kind(kind: ActionKind) -> JsonObject:
    """A kind as the verifier reads it."""
    found: JsonObject = {"name": kind.kind, "params": kind.params, "why": kind.why}
    if kind.effect:
        found["effect"] = kind.effect
    return {**found, "witness": kind.witness.model_dump(mode="json")}


def model_of(model: type[Model], document: Any, where: str, file: Traversable | None = None, *path: int) -> Model:
    """A contract of a document or of its part at `path`; `CatalogError` names file, line, key and what is wrong."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # a key nobody knows comes first: it is most often the one that is missing, misspelt
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        more = error.error_count() - 1
        line = None if file is None else line_of(file, (*path, *first["loc"]))
        at = (where, "" if line is None else f"line {line}", ".".join(str(step) for step in (*path[1:], *first["loc"])))
        what = _WHAT.get(first["type"], first["msg"][:1].lower() + first["msg"][1:])
        what += f" (and {more} more)" if more else ""
        raise CatalogError(what, where=" ".join(part for part in at if part), fix=_near(model, first)) from error


_WHAT = {"missing": "is missing", "extra_forbidden": "is no key of this file"}


def _near(model: type[Contract], error: Any) -> str:
    """The key an unknown one stands for, or those there are."""
    if error["type"] != "extra_forbidden" or len(error["loc"]) != 1:
        return ""
    near = difflib.get_close_matches(str(error["loc"][0]), model.model_fields, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(model.model_fields)}"


def list_of(model: type[Model], root: Traversable, name: str) -> tuple[Model, ...]:
    """A file that is a list, each entry as a contract."""
    file = root / name
    document = parse_yaml(file.read_text(encoding="utf-8"), name)
    if not isinstance(document, list):
        raise CatalogError("is not a list", where=name)
    return tuple(model_of(model, item, name, file, i) for i, item in enumerate(cast("list[Any]", document)))


def _folder_lists(model: type[Model], root: Traversable, folder: str) -> tuple[Model, ...]:
    names = sorted(entry.name for entry in (root / folder).iterdir() if entry.name.endswith(".yaml"))
    return tuple(item for name in names for item in list_of(model, root / folder, name))


def _agents(root: Traversable) -> Iterator[AgentSpec]:
    for group in sorted((root / "agents").iterdir(), key=lambda entry: entry.name):
        if not group.is_dir():
            continue
        for file in sorted(group.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".md"):
                parts = file.read_text(encoding="utf-8").split("---\n", 2)
                if len(parts) != 3 or parts[0].strip():
                    raise CatalogError("has no front matter between two lines of ---", where=file.name)
                spec = {**parse_yaml(parts[1], file.name), "brief": parts[2].strip()}
                yield model_of(AgentSpec, spec, file.name)


def _history(file: Traversable) -> HistoryRules:
    where = f"history/{file.name}"
    return model_of(HistoryRules, parse_yaml(file.read_text(encoding="utf-8"), where), where, file)


def load_catalog(root: Traversable | None = None) -> Catalog:
    """The catalog shipped with the package, or the one in another folder of the same form."""
    base = root or files("steward.catalog")
    return Catalog(
        limits=list_of(Limit, base, "limits.yaml"),
        risk=list_of(RiskPolicy, base, "risk.yaml"),
        roles=list_of(Role, base, "roles.yaml"),
        chart=list_of(Account, base, "accounts.yaml"),
        postings=list_of(PostingRule, base, "postings.yaml"),
        events=_folder_lists(EventSpec, base, "events"),
        kinds=tuple(
            model_of(ActionKind, document, f"actions/{name}", base / "actions" / name)
            for name, document in read_yaml_folder(base / "actions")
        ),
        ports=_folder_lists(Port, base, "ports"),
        routes=list_of(Route, base, "routes.yaml"),
        agents=tuple(_agents(base)),
        history=_history(base / "history" / "online_retail.yaml"),
        invariants=tuple(read_yaml_folder(base / "invariants")),
        root=base,
    )


def catalog_of(document: JsonObject) -> Catalog:
    """The catalog a stored document says: what was in force once, typed as it is today."""
    if "ports" not in document:  # written down before tools were systems: its ports stood under their name
        ports = [
            {**{key: value for key, value in port.items() if key != "tool"}, "port": port["tool"]}
            for port in document["tools"]
        ]
        document = {**document, "ports": ports, "routes": []}
    parts = {name: tuple(model_of(model, item, name) for item in document[name]) for name, model in _PARTS.items()}
    invariants = tuple((str(name), cast("JsonObject", rules)) for name, rules in document["invariants"])
    return Catalog(
        **cast("Any", parts), history=model_of(HistoryRules, document["history"], "history"), invariants=invariants
    )
