"""What a person must still decide or put right in a tool's file: (path in the file, what, fix), all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from steward.contracts.tool import Check, Idempotency, MoneyPath, ToolSpec, Undo, VerbSpec
from steward.gateway.core.templates import names_in

Found = tuple[tuple[str | int, ...], str, str]
_GIVEN = frozenset({"key", "settings"})
_FOR_OTHERS = frozenset({"args", "result", "key", "settings"})
_DECIDE = re.compile(r"\bDECIDE\b")


def lint(tool: ToolSpec, is_path: Callable[[str], bool], is_schema: Callable[[Any], bool]) -> Iterator[Found]:
    """Everything; `is_path` and `is_schema` say whether a text is a JSONPath and a document a JSON Schema."""
    yield from _undecided(tool.model_dump(mode="json"), ())
    if not tool.callable:
        if tool.verbs or not tool.why:
            yield ("callable",), "cannot be called, and has verbs or does not say why", "take them away, write `why`"
        return
    if not any(verb.method != "INTERNAL" for verb in tool.verbs):
        return
    reading = {verb.verb for verb in tool.verbs if not verb.effect}
    if tool.check is None or tool.check.verb not in reading:
        yield ("check",), "has no reading verb that shows whether credentials work", "name one"
    for name in sorted(_needed(tool) - set(tool.auth.secrets)):
        yield ("auth",), f"signs with {name}, which is none of its secrets", "say under `secrets` what it is"
    for index, verb in enumerate(tool.verbs):
        if verb.method != "INTERNAL":
            for path, what, fix in _verb(tool, verb, is_path, is_schema):
                yield ("verbs", index, *path), f"{verb.verb}: {what}", fix


def _undecided(part: Any, path: tuple[str | int, ...]) -> Iterator[Found]:
    if isinstance(part, str) and _DECIDE.search(part):
        yield path, f"is not decided: {part[:100]}", "decide it"
    elif isinstance(part, Mapping):
        for name, one in cast("Mapping[str, Any]", part).items():
            yield from _undecided(one, (*path, name))
    elif isinstance(part, list | tuple):
        for index, one in enumerate(cast("list[Any]", part)):
            yield from _undecided(one, (*path, index))


def _needed(tool: ToolSpec) -> set[str]:
    """Secrets that the way of signing uses."""
    options, scheme = tool.auth.options, tool.auth.scheme
    names = {str(options[key]) for key in ("secret", "user", "password", "key", "token") if key in options}
    if scheme == "oauth2":
        names = {"client_id", "client_secret"}
        names |= {"refresh_token"} if options.get("grant") == "refresh_token" else set()
    if scheme == "sigv4":
        names = {"access_key_id", "secret_access_key"}
    return {name for name in names if not name.startswith("=")}


def _verb(
    tool: ToolSpec, verb: VerbSpec, is_path: Callable[[str], bool], is_schema: Callable[[Any], bool]
) -> Iterator[Found]:
    known = _properties(verb)
    if verb.params.get("additionalProperties") is not False or not is_schema(verb.params):
        yield ("params",), "is no JSON Schema of an object that takes nothing else", "additionalProperties: false"
    used = set(names_in([verb.path, verb.query or {}, dict(verb.headers), verb.body, verb.base, dict(tool.headers)]))
    for name in sorted(used - known - _GIVEN):
        yield ("params",), f"its request names {name}, which is no argument", "add it to params"
    for place, path in _paths(tool, verb):
        if not is_path(path):
            yield (place,), f"{path!r} is no JSONPath", "write it as RFC 9535 has it"
    yield from _evidence(tool, verb)
    if verb.effect:
        yield from _effect(tool, verb, used)
    elif verb.money is not None or verb.idempotency is not None or verb.risk != "L0":
        yield ("effect",), "only reads, and has money, a risk or an effect rule", "take them away, or effect: true"
    if verb.pages is not None and (verb.effect or (verb.pages.style != "link" and verb.pages.into not in known)):
        yield ("pages",), f"goes on by {verb.pages.into!r}, which is no argument of a reading verb", "name an argument"


def _paths(tool: ToolSpec, verb: VerbSpec) -> Iterator[tuple[str, str]]:
    yield from (("result", path) for path in verb.result.values())
    yield from (("failed", path) for path in {**tool.failed, **verb.failed})
    if verb.pages is not None:
        yield from (("pages", path) for path in (verb.pages.items, verb.pages.next, verb.pages.more) if path)
    if verb.idempotency is not None and verb.idempotency.found:
        yield "idempotency", verb.idempotency.found
    if verb.confirm is not None:
        yield from (("confirm", path) for path in verb.confirm.expect)


def _evidence(tool: ToolSpec, verb: VerbSpec) -> Iterator[Found]:
    given = verb.evidence
    if given.level == "checked" and (given.description not in tool.descriptions or not given.operation):
        yield ("evidence",), "is checked against a description that the tool does not name", "name both, or documented"
    if given.level == "documented" and not (given.page.startswith("https://") and given.fields):
        yield ("evidence",), "is documented without a page or the fields seen there", "name both"


def _effect(tool: ToolSpec, verb: VerbSpec, used: set[str]) -> Iterator[Found]:
    if verb.idempotency is None:
        yield ("idempotency",), "does not say what may be done when no answer came", "native, probe or none"
    else:
        yield from _rule(tool, verb.idempotency, used)
    if verb.risk == "L0":
        yield ("risk",), "changes something and has no risk", "L1, L2 or L3"
    if verb.undo is None and not verb.irreversible:
        yield ("undo",), "does not say how it is taken back", "a verb, or why it cannot be: irreversible"
    if verb.rate is None and tool.rate is None:
        yield ("rate",), "has no limit of calls", "say it, with its source"
    if verb.money is not None:
        yield from _money(verb, verb.money)
    if verb.undo is not None:
        yield from _other(tool, verb.undo, "undo", is_reading=False)
    if verb.confirm is not None:
        yield from _other(tool, verb.confirm, "confirm", is_reading=True)


def _rule(tool: ToolSpec, rule: Idempotency, used: set[str]) -> Iterator[Found]:
    if rule.mode == "native" and (rule.hours < 1 or not (rule.header or "key" in used)):
        yield ("idempotency",), "its key has no hours, or no place in the request", "hours, and a header or {key}"
    if rule.mode == "none" and not rule.why:
        yield ("idempotency",), "does not say why nothing can be done", "why"
    if rule.mode != "probe":
        return
    looked = set(names_in([rule.args, rule.match]))
    if not looked or ("key" in looked and "key" not in used):
        yield ("idempotency",), "looks for a reference it does not send", "{key} in the request, or a state it sets"
    if rule.settle_seconds < 1 or not rule.found or not rule.match:
        yield ("idempotency",), "does not say what is looked for, or how long", "found, match, settle_seconds"
    yield from _other(tool, Check(verb=rule.verb or "x", args=rule.args), "idempotency", is_reading=True)


def _money(verb: VerbSpec, money: MoneyPath) -> Iterator[Found]:
    amount = _at(verb.params, money.amount)
    if amount is None or amount.get("type") != "integer":
        yield ("money",), f"{money.amount} is no whole number among its arguments", "name one"
    currency = money.currency
    if not re.fullmatch(r"[A-Z]{3}", currency) and _at(verb.params, currency) is None:
        yield ("money",), f"{currency} is no currency and no argument", "name one"


def _other(tool: ToolSpec, named: Check | Undo, place: str, *, is_reading: bool) -> Iterator[Found]:
    found = next((verb for verb in tool.verbs if verb.verb == named.verb), None)
    if found is None or (is_reading and found.effect):
        yield (place,), f"{named.verb} is no {'reading ' if is_reading else ''}verb of this tool", "name one"
        return
    yield from (((place,), what, "see its params") for what in unfit(found, named.args))


def unfit(verb: VerbSpec, args: Mapping[str, Any]) -> Iterator[str]:
    """What of a template of arguments cannot fit a verb, by names alone."""
    for name in sorted(set(args) - _properties(verb)):
        yield f"{verb.verb} takes no {name}"
    for name in verb.params.get("required", []):
        if name not in args:
            yield f"{verb.verb} needs {name}"


def _properties(verb: VerbSpec) -> set[str]:
    return set(cast("dict[str, Any]", verb.params.get("properties", {})))


def _at(schema: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """The schema of the argument at a path; None where there is none."""
    node = cast("dict[str, Any] | None", schema)
    for part in path.split("."):
        if node is None:
            return None
        node = node.get("items") if part.isdecimal() else node.get("properties", {}).get(part)
    return node
