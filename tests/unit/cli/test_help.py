"""Every command says what it does and shows an example; help is fast because nothing heavy is imported for it."""

import subprocess
import sys

import click
import pytest

from steward.cli.main import main


def commands(group=main, path=()):
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = list(commands())


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_a_command_shows_an_example(path, command):
    assert "Example: steward " + path[0] in " ".join((command.help or "").split())


@pytest.mark.parametrize(
    ("path", "command"), [(p, c) for p, c in ALL if not isinstance(c, click.Group)], ids=lambda v: str(v)[:40]
)
def test_a_command_that_answers_speaks_json(path, command):
    spoken = {option for parameter in command.params for option in parameter.opts}
    silent = {("serve",), ("up",), ("worker",), ("verify", "bundle")}
    assert ("--json" in spoken) != (path in silent)


def test_help_imports_nothing_heavy():
    heavy = ("numpy", "fastapi", "uvicorn", "psycopg", "z3", "highspy", "pydantic", "yaml", "rich.progress")
    code = f"import sys; import steward.cli.main; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
