"""A whole shop from the outside: the CLI in its own data folder (or its own database of a given server)."""

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

SAMPLE = Path(__file__).parents[2] / "src/steward/catalog/samples/online_retail_2011-05_2011-07.csv.gz"


@dataclass
class Shop:
    """Runs `steward` with an environment of its own."""

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

    def json(self, *arguments, code=0):
        result = self.run(*arguments, "--json")
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
    path = tmp_path_factory.mktemp("history") / "small.csv"
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as file:
        lines = file.read().splitlines(keepends=True)
    kept = [line for line in lines[1:] if re.match(r"\d+[012],|\D", line)]
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
def demo(make_shop, small_history):
    """A shop after its first `steward demo --once`, and the figures of that run."""
    shop = make_shop()
    figures = shop.json("demo", "--once", "--data", small_history)
    return shop, figures
