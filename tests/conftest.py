"""A PostgreSQL for the tests: one embedded cluster a run with fsync off, or the server of STEWARD_DATABASE_URL."""

import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 6 << 30


def _in_memory():
    """Folders of the tests go where files live in memory, if there is room and programs may run there: a run makes a
    thousand databases and throws them away. Nothing here outlives the machine, and a process killed by -9 leaves such
    files as it leaves others. TMPDIR, where it is set, is obeyed.
    """
    if "TMPDIR" in os.environ or not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return
    there = os.statvfs(MEMORY)
    if there.f_bavail * there.f_frsize >= MEMORY_BYTES and not there.f_flag & os.ST_NOEXEC:
        tempfile.tempdir = str(MEMORY)


_in_memory()

# Durability is tested on clusters of its own; here only speed counts.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
TEMPLATE = "steward_template"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Files that take minutes come first, so that no worker is left alone with one at the end; else as shuffled."""
    whole, parts = Path(__file__).parent / "acceptance", Path(__file__).parent / "integration"

    def place(item):
        if item.path.name == "test_crash.py":
            return 0
        return 1 if whole in item.path.parents else 2 if parts in item.path.parents else 3

    items.sort(key=place)


@dataclass
class Cluster:
    """Where test databases are made."""

    admin: str
    owner: str  # conninfo without dbname
    app: str
    role: str | None  # SET ROLE in server mode
    template: str

    def create(self, name: str, template: str | None = None) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if template:
                statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
            connection.execute(statement)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def test_home():
    """A folder any account may enter: pytest's own temporary folders are closed to the database's."""
    home = Path(tempfile.mkdtemp(prefix="steward-test-"))
    home.chmod(0o711)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(test_home):
    from steward.infra.migrate import migrate
    from steward.infra.postgres import EmbeddedPostgres

    url = os.environ.get("STEWARD_DATABASE_URL")
    name = f"{TEMPLATE}_{uuid.uuid4().hex[:8]}"
    embedded = None
    if url:
        from steward.infra.connect import _ensure_app_role

        with psycopg.connect(url, autocommit=True) as connection:
            _ensure_app_role(connection)
        made = Cluster(url, url, url, "steward_app", name)
    else:
        embedded = EmbeddedPostgres(test_home, FAST)
        server = embedded.start()
        owner = server.owner_conninfo("postgres")
        made = Cluster(owner, owner, server.app_conninfo("postgres"), None, name)
    made.create(name)
    migrate(make_conninfo(made.owner, dbname=name))
    with psycopg.connect(make_conninfo(made.owner, dbname=name)) as connection:
        connection.execute("INSERT INTO gate_clock (reason) VALUES ('tests have clocks of their own')")
    yield made
    made.drop(name)
    if embedded:
        embedded.stop()


@dataclass
class Fresh:
    """A database of a test's own: `app` as the application sees it, `owner` as its owner."""

    name: str
    app: object
    owner: str


@pytest.fixture
def fresh(cluster):
    from steward.infra.db import Database

    name = f"steward_{uuid.uuid4().hex[:12]}"
    cluster.create(name, cluster.template)
    database = Database(make_conninfo(cluster.app, dbname=name), cluster.role)
    yield Fresh(name, database, make_conninfo(cluster.owner, dbname=name))
    database.close()
    cluster.drop(name)


@pytest.fixture(scope="session")
def shared_database(cluster):
    from steward.infra.db import Database

    name = f"steward_shared_{uuid.uuid4().hex[:12]}"
    cluster.create(name, cluster.template)
    database = Database(make_conninfo(cluster.app, dbname=name), cluster.role)
    yield database
    database.close()
    cluster.drop(name)


@pytest.fixture
def database(shared_database):
    """The application's database inside a transaction that is rolled back."""
    with shared_database.rolled_back():
        yield shared_database


@pytest.fixture(scope="session")
def test_data():
    """The folder of extra data; tests that need it skip where it is absent."""
    folder = os.environ.get("STEWARD_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("STEWARD_TEST_DATA names no folder")
    return Path(folder)
