"""A whole shop from the outside: the CLI in its own data folder (or its own database of a given server)."""

import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

SAMPLE = Path(__file__).parents[2] / "src/steward/catalog/samples/online_retail_2011-05_2011-07.csv.gz"


@dataclass
class Shop:
    """Runs `steward` with an environment of its own: `run` and `json` in a process, `here` in this one."""

    env: dict[str, str]
    home: Path

    def run(self, *arguments, stdin=None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "steward", *map(str, arguments)],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            input=stdin,
        )

    def here(self, *arguments) -> subprocess.CompletedProcess:
        """The same command without a new process, for tests that ask many times and are not about processes."""
        from steward.cli.main import main

        names = {name for name in os.environ if name.startswith("STEWARD_")}
        own = {name: value for name, value in self.env.items() if name.startswith("STEWARD_")}
        words = [str(argument) for argument in arguments]
        done = CliRunner(env={**dict.fromkeys(names), **own}).invoke(main, words, prog_name="steward")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments, code=0, here=False):
        result = (self.here if here else self.run)(*arguments, "--json")
        assert result.returncode == code, f"exit {result.returncode}\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}"
        return json.loads(result.stdout)


def shop_environment(home: Path, url: str | None = None) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("STEWARD_")}
    env["STEWARD_HOME"] = str(home)
    if url:
        env["STEWARD_DATABASE_URL"] = url
    return env


@pytest.fixture(scope="session")
def small_history(tmp_path_factory) -> Path:
    """The shipped history with three in ten of its orders and all else: real lines, fewer of them."""
    return _thinned(tmp_path_factory.mktemp("history") / "small.csv", r"\d+[012],|\D")


@pytest.fixture(scope="session")
def tiny_history(tmp_path_factory) -> Path:
    """One in twenty of its orders and three in ten cancellations: for what is run again and again."""
    return _thinned(tmp_path_factory.mktemp("history") / "tiny.csv", r"\d+[05]0,|C\d+[012],|[A-BD-Z]")


def _thinned(path: Path, pattern: str) -> Path:
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as file:
        lines = file.read().splitlines(keepends=True)
    kept = [line for line in lines[1:] if re.match(pattern, line)]
    path.write_text("".join([lines[0], *kept]), encoding="utf-8", newline="")
    return path


@pytest.fixture(scope="session")
def make_shop():
    """Make shops; each is taken down at the end of the run."""
    import psycopg

    url = os.environ.get("STEWARD_DATABASE_URL")
    made: list[tuple[Shop, str | None]] = []

    def make() -> Shop:
        home = Path(tempfile.mkdtemp(prefix="steward-shop-"))
        name = None
        own = None
        if url:
            name = f"shop_{uuid.uuid4().hex[:12]}"
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            own = psycopg.conninfo.make_conninfo(url, dbname=name)
        shop = Shop(shop_environment(home, own), home)
        made.append((shop, name))
        return shop

    yield make
    for shop, name in made:
        if name is None:
            shop.run("db", "stop")
            shutil.rmtree(shop.home, ignore_errors=True)
        else:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def demo(make_shop, small_history, tmp_path_factory, worker_id):
    """A shop after its first `steward demo --once`, and the figures of that run."""
    return once(make_shop(), small_history, "" if worker_id == "master" else tmp_path_factory.getbasetemp().parent)


@pytest.fixture(scope="session")
def tiny_demo(make_shop, tiny_history, tmp_path_factory, worker_id):
    """The same over a history in which every check takes a fraction of a second: for what asks them again and again."""
    return once(make_shop(), tiny_history, "" if worker_id == "master" else tmp_path_factory.getbasetemp().parent)


def once(shop, history, shared):
    """Of workers on one machine the first makes the shop, stops its server and keeps it; each has a copy of its own."""
    if not shared or "STEWARD_DATABASE_URL" in shop.env:
        return shop, shop.json("demo", "--once", "--data", history)
    kept = shared / f"demo-{history.stem}"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            figures = shop.json("demo", "--once", "--data", history)
            assert shop.run("db", "stop").returncode == 0
            (shop.home / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
            copied(shop.home, kept)
    shutil.rmtree(shop.home)
    copied(kept, shop.home)
    return shop, json.loads((shop.home / "figures.json").read_text(encoding="utf-8"))


def copied(source: Path, target: Path) -> None:
    """A folder with its owners and modes, appearing whole or not at all."""
    draft = target.with_name(f"{target.name}.draft")
    subprocess.run(["cp", "-a", str(source), str(draft)], check=True)
    draft.rename(target)
