"""How commands speak: one JSON document, or text for a person; progress on stderr; errors with their exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from steward.kernel.errors import StewardError

P = ParamSpec("P")
R = TypeVar("R")


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")(function)


def emit(document: Any, as_json: bool, text: str) -> None:
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else text)


def report_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Turn our errors into one line on stderr and their exit code; anything else is a bug and shows its trace."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except StewardError as error:
            click.echo(f"error: {error.code}: {error}", err=True)
            sys.exit(error.exit_code)

    return wrapped


def answer(yes: bool) -> None:
    """Exit 0 for yes, 1 for no."""
    sys.exit(0 if yes else 1)


class Phases:
    """Named phases of a long run: a bar each on a terminal, a plain line each elsewhere, and how long each took."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.milliseconds: dict[str, int] = {}
        self._is_terminal = sys.stderr.isatty()

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        """A phase of `total` steps; call what it yields with each number of steps done."""
        started = self._clock()
        if self._is_terminal:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description:<28}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
                task = progress.add_task(name, total=total)
                yield lambda steps: progress.advance(task, steps)
                progress.update(task, total=total or 1, completed=total or 1)
        else:
            click.echo(f"phase {name}", err=True)
            yield lambda _steps: None
        self.milliseconds[name] = round(1000 * (self._clock() - started))

    def to_json(self) -> dict[str, dict[str, int]]:
        """Whole seconds and milliseconds by phase: integers, like every number we print as JSON."""
        return {
            "seconds": {name: round(spent / 1000) for name, spent in self.milliseconds.items()},
            "milliseconds": self.milliseconds,
        }
