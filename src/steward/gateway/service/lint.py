"""What stands wrong or undecided in the files of tools, with file and line. It needs no database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from steward.catalog import Problem, ToolBook
from steward.contracts.port import Port, Route
from steward.contracts.tool import ToolSpec
from steward.gateway.core.lint import Found, lint, unfit
from steward.kernel.errors import BadInput, StewardError


def tool_problems(book: ToolBook, names: Iterable[str]) -> list[Problem]:
    """Everything about these tools."""
    found: list[Problem] = []
    for name in names:
        try:
            spec = book.tool(name)
        except StewardError as error:
            found.append(
                _problem(error.where or f"tools/{name}.yaml", error.what, error.fix or "see docs/reference/tools.md")
            )
            continue
        found += [_problem(book.at(name, *path), what, fix) for path, what, fix in _found(spec)]
    return found


def route_problems(book: ToolBook, routes: Iterable[Route], ports: Iterable[Port]) -> list[Problem]:
    """Routes name what there is, and give their verb the arguments it takes."""
    asked = {f"{port.port}.{verb.verb}" for port in ports for verb in port.verbs}
    found: list[Problem] = []
    for route in routes:
        where = f"routes.yaml {route.port} to {route.tool}.{route.verb}"
        if route.port not in asked:
            found.append(_problem(where, f"no port asks for {route.port}", "name a verb of ports/"))
        try:
            verb = book.verb(route.tool, route.verb)
        except BadInput as error:
            found.append(_problem(where, error.what, error.fix or "name a verb of tools/"))
            continue
        if not verb.effect:
            found.append(_problem(where, f"{route.verb} only reads", "name a verb with an effect"))
        found += [_problem(where, what, "see its params") for what in unfit(verb, route.args)]
    return found


def book_of(file: Path) -> ToolBook:
    """A book that holds one file, wherever it lies."""
    return ToolBook(_Alone(file))  # pyright: ignore[reportArgumentType] - of a folder it uses these methods alone


class _Alone:
    """A catalog whose folder of tools holds one file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __truediv__(self, name: str) -> Any:
        return self if name == "tools" else self._file

    def is_dir(self) -> bool:
        return True

    def iterdir(self) -> Iterator[Path]:
        yield self._file


def _found(spec: ToolSpec) -> Iterator[Found]:
    yield from lint(spec, _is_path, _is_schema)


def _is_path(text: str) -> bool:
    from jsonpath_rfc9535 import JSONPathError
    from jsonpath_rfc9535 import compile as compiled

    try:
        compiled(text)
    except JSONPathError:
        return False
    return True


def _is_schema(document: Any) -> bool:
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(document)
    except SchemaError:
        return False
    return isinstance(document, dict) and cast("dict[str, Any]", document).get("type") == "object"


def _problem(where: str, what: str, fix: str) -> Problem:
    return {"where": where, "what": what, "fix": fix}
