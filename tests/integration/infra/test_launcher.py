"""The embedded server on clusters of its own, fsync on: races, kill -9, strange homes, and who may do what."""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from steward.infra.connect import database_status, open_database, stop_database
from steward.infra.postgres import EmbeddedPostgres
from steward.infra.settings import Settings
from steward.kernel.errors import BadInput, Infrastructure

pytestmark = [pytest.mark.db, pytest.mark.slow]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other accounts to run the server as")
SRC = Path(__file__).parents[3] / "src"

# Says "ready", waits for a line so that all start at once, starts the server, and says who answers.
STARTER = """
import sys
from pathlib import Path
import psycopg
from steward.infra.postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
server = postgres.start()
with psycopg.connect(server.app_conninfo("postgres")) as connection:
    who = connection.execute("SELECT current_user, pg_postmaster_start_time()::text").fetchone()
print(*who, flush=True)
"""


def starter(home, **more):
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def end(process):
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=30)


def race(home, count):
    """What each of `count` processes says that start the server of one home in the same moment."""
    processes = [starter(home) for _ in range(count)]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=120) for process in processes]
        assert [process.returncode for process in processes] == [0] * count, [err[-1500:] for _, err in said]
        return [out.strip() for out, _ in said]
    finally:
        for process in processes:
            end(process)


def owner(server, database="postgres"):
    return psycopg.connect(server.postgres.start().owner_conninfo(database), autocommit=True)


def started_at(server):
    with owner(server) as connection:
        return connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0]


def leave_rows(server, count=100):
    with owner(server) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
        for n in range(count):
            connection.execute("INSERT INTO kept VALUES (%s)", (n,))


def rows(server):
    with owner(server) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM kept ORDER BY n")]


# Races


def test_eight_processes_race_and_one_server_comes_of_it(make_server):
    server = make_server()
    said = race(server.home, 8)
    assert len(set(said)) == 1  # the same server answered all of them
    assert said[0].startswith("steward_app ")
    assert server.postmasters() == [server.postmaster()]
    assert server.files.log.read_text(encoding="utf-8").count("ready to accept connections") == 1


def test_processes_race_after_a_crash(make_server):
    server = make_server()
    leave_rows(server)
    server.kill()
    assert len(set(race(server.home, 4))) == 1
    assert server.postmasters() == [server.postmaster()]
    assert rows(server) == list(range(100))


def test_threads_of_one_process_may_race_too(make_server):
    server = make_server()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _i: EmbeddedPostgres(server.home).start(), range(4)))
    assert server.postmasters() == [server.postmaster()]


def test_processes_that_open_the_database_at_once_migrate_it_once(make_server):
    server = make_server()
    settings = Settings(server.home, None, "127.0.0.1", 0)
    with ThreadPoolExecutor(4) as pool:
        databases = list(pool.map(lambda _i: open_database(settings), range(4)))
    try:
        for database in databases:
            with database.transaction() as connection:
                assert connection.execute("SELECT size FROM log_head").fetchall() == [{"size": 0}]
    finally:
        for database in databases:
            database.close()
    status = database_status(settings)
    assert (status["kind"], status["running"], status["pending"]) == ("embedded", True, 0)


# Stopping and starting


def test_a_second_start_is_fast_and_starts_nothing(running):
    postmaster, at = running.postmaster(), started_at(running)
    spent = []
    for _ in range(5):
        begin = time.perf_counter()
        EmbeddedPostgres(running.home).start()
        spent.append(time.perf_counter() - begin)
    assert min(spent) < 0.25
    assert running.postmaster() == postmaster
    assert started_at(running) == at
    assert running.postmasters() == [postmaster]


def test_stop_and_start_keep_the_rows(make_server):
    server = make_server()
    leave_rows(server)
    before = server.postmaster()
    assert server.postgres.is_running()
    assert server.postgres.stop() is True
    assert server.processes() == []
    assert not server.postgres.is_running()
    assert server.postgres.stop() is False
    assert rows(server) == list(range(100))
    assert server.postmaster() != before


def test_stop_ends_a_server_in_use(make_server):
    server = make_server()
    with owner(server) as connection:
        connection.execute("BEGIN")
        assert server.postgres.stop() is True
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert server.processes() == []


def test_stop_where_nothing_ever_ran_is_false_and_makes_nothing(make_server):
    server = make_server("home")
    settings = Settings(server.home, None, "127.0.0.1", 0)
    assert server.postgres.stop() is False
    assert stop_database(settings) is False
    assert database_status(settings)["running"] is False
    assert not server.home.exists()


# kill -9


def test_committed_rows_survive_kill_9_and_others_do_not(make_server):
    server = make_server()
    leave_rows(server)
    connection, idle = owner(server), owner(server)
    connection.execute("BEGIN")
    connection.execute("INSERT INTO kept VALUES (1000)")
    server.kill()
    assert rows(server) == list(range(100))
    assert server.postmasters() == [server.postmaster()]
    connection.close()
    idle.close()


def test_kill_9_again_and_again(make_server):
    server = make_server()
    leave_rows(server, 0)
    for n in range(4):
        connection = owner(server)
        connection.execute("INSERT INTO kept VALUES (%s)", (n,))
        server.kill()
        connection.close()
    assert rows(server) == [0, 1, 2, 3]


@pytest.mark.parametrize("state", ["busy", "stopped"])
def test_a_backend_that_outlived_its_postmaster_stands_in_no_ones_way(make_server, monkeypatch, state):
    """A backend in a loop does not notice that its postmaster died, and holds the shared memory."""
    monkeypatch.setattr("steward.infra.orphans._GRACE_SECONDS", 1.0)
    server = make_server()
    leave_rows(server)
    client = owner(server)
    orphan = client.info.backend_pid
    client.pgconn.send_query(b"DO $$ BEGIN LOOP NULL; END LOOP; END $$")
    if state == "stopped":
        os.kill(orphan, signal.SIGSTOP)
    server.kill()
    assert orphan in server.processes()
    assert not server.postgres.is_running()
    assert rows(server) == list(range(100))
    assert orphan not in server.processes()
    assert server.postmasters() == [server.postmaster()]
    client.close()


def test_a_pid_file_that_names_a_stranger_is_not_believed(make_server):
    server = make_server()
    leave_rows(server)
    server.kill()
    for pid in server.processes():
        os.kill(pid, signal.SIGKILL)
    pid_file = server.files.data / "postmaster.pid"
    text = pid_file.read_text(encoding="utf-8").split("\n", 1)
    pid_file.write_text(f"{os.getpid()}\n{text[1]}", encoding="utf-8")
    assert not server.postgres.is_running()
    assert rows(server) == list(range(100))


def in_the_middle_of_initdb(server, proc):
    """A launcher whose initdb is at work beside the data folder, and the pid of that initdb."""
    process = starter(server.home)
    try:
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        proc.wait_until(lambda: any(server.files.cluster.glob("data.new*/base")))
        pid = initdb_at_work(server)
        assert pid is not None, "initdb was over before it could be caught"
    except BaseException:
        end(process)
        raise
    return process, pid


def initdb_at_work(server):
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                program, *words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            folder = f"--pgdata={server.files.cluster}/".encode()
            if program.endswith(b"initdb") and any(word.startswith(folder) for word in words):
                return int(entry.name)
    return None


def test_kill_9_in_the_middle_of_initdb(make_server, proc):
    server = make_server()
    process, initdb = in_the_middle_of_initdb(server, proc)
    process.kill()
    os.kill(initdb, signal.SIGKILL)
    end(process)
    assert not server.files.data.exists()
    assert list(server.files.cluster.glob("data.new*"))
    leave_rows(server)
    assert rows(server) == list(range(100))
    assert list(server.files.cluster.glob("data.new*")) == []


def test_kill_9_of_the_launcher_alone_while_its_initdb_works_on(make_server, proc):
    """The initdb nobody waits for any more must not write into what the next attempt makes."""
    server = make_server()
    process, _ = in_the_middle_of_initdb(server, proc)
    end(process)
    leave_rows(server)
    proc.wait_until(lambda: initdb_at_work(server) is None)
    assert rows(server) == list(range(100))
    assert server.postmasters() == [server.postmaster()]
    server.kill()
    assert rows(server) == list(range(100))


def test_a_half_made_data_folder_is_made_anew(make_server):
    server = make_server()
    server.postgres.start()
    server.postgres.stop()
    half = server.files.cluster / "data.new.1.2"
    shutil.move(server.files.data, half)
    shutil.rmtree(half / "global")
    (server.files.cluster / "ready").unlink()
    leave_rows(server)
    assert rows(server) == list(range(100))
    assert not half.exists()


# Homes


@as_root
def test_a_home_that_the_account_cannot_reach_is_named(make_server):
    server = make_server("home", mode=0o700)
    with pytest.raises(Infrastructure) as caught:
        server.postgres.start()
    assert "STEWARD_HOME" in str(caught.value)
    assert str(server.home) in str(caught.value)
    assert caught.value.exit_code == 3
    assert stat.S_IMODE(server.home.parent.stat().st_mode) == 0o700  # nothing above the home was opened
    assert not (server.home / "postgres").exists()


@as_root
def test_a_closed_home_of_its_own_is_opened_for_searching_only(make_server):
    server = make_server(mode=0o700)
    server.postgres.start()
    assert stat.S_IMODE(server.home.stat().st_mode) == 0o711


def test_a_very_long_home_has_its_sockets_elsewhere(make_server):
    server = make_server("/".join(["a-long-name-for-a-folder-" * 4] * 3))
    leave_rows(server)
    folder = server.files.socket_folder()
    assert folder.parent == Path(tempfile.gettempdir()).resolve()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".s.PGSQL.5432").is_socket()
    server.kill()
    assert rows(server) == list(range(100))


@as_root
def test_a_socket_folder_of_somebody_else_is_refused(make_server):
    """The temp folder is everybody's: a stranger may have made the folder first, to read what is sent there."""
    server = make_server("/".join(["another-long-name-for-a-folder-" * 3] * 3))
    folder = server.files.socket_folder()
    folder.mkdir(mode=0o700)
    stranger = next(entry for entry in pwd.getpwall() if entry.pw_name not in {"root", "nobody", "daemon"})
    os.chown(folder, stranger.pw_uid, stranger.pw_gid)
    with pytest.raises(Infrastructure, match="belongs to somebody else"):
        server.postgres.start()


@pytest.mark.parametrize("name", ["it's a home; mine = 'yes' # 100 % & ü", "one, two"])
def test_a_home_with_strange_letters(make_server, name):
    server = make_server(name)
    leave_rows(server)
    server.postgres.stop()
    assert rows(server) == list(range(100))


@pytest.mark.parametrize("name", ['a "quoted" home', "a $HOME", "a `home`", "a back\\slash"])
def test_a_home_a_shell_would_read_is_refused(test_home, name):
    with pytest.raises(BadInput, match="STEWARD_HOME"):
        EmbeddedPostgres(test_home / name).start()


def test_a_home_that_moved(make_server):
    server = make_server("before")
    leave_rows(server)
    server.postgres.stop()
    moved = make_server("after")
    shutil.move(server.home, moved.home)
    assert rows(moved) == list(range(100))


# Accounts


@as_root
def test_the_data_and_the_server_belong_to_another_account(running, proc):
    account = running.files.data.stat().st_uid
    assert account != 0
    assert pwd.getpwuid(account).pw_name in {"nobody", "daemon"}
    assert {proc.status(pid, "Uid") for pid in running.processes()} == {account}
    assert running.files.secrets.stat().st_uid == 0


ORDINARY = """
import os, sys, stat
from pathlib import Path
import psycopg
from steward.infra.postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
server = postgres.start()
try:
    with psycopg.connect(server.app_conninfo("postgres")) as connection:
        print(connection.execute("SELECT current_user").fetchone()[0])
    print({path.stat().st_uid for path in [postgres.files.data, postgres.files.secrets]} == {os.geteuid()})
    print(EmbeddedPostgres(Path(sys.argv[1])).start() == server)
finally:
    print(postgres.stop(), postgres.stop())
"""


def ordinary_python():
    """An interpreter with our packages that an ordinary account can run, and its environment; None without one."""
    site = Path(importlib.util.find_spec("psycopg").origin).parents[1]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{site}:{SRC}", "PYTHONDONTWRITEBYTECODE": "1"}
    name = "python{}.{}".format(*sys.version_info)
    for program in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        try:
            done = subprocess.run(
                [program, "-c", "import psycopg, steward.infra.postgres"],
                env=environment,
                cwd="/",
                user=65534,
                group=65534,
                extra_groups=[],
                capture_output=True,
                check=False,
                timeout=60,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return program, environment
    return None


def test_an_ordinary_user_runs_a_server_of_their_own(make_server):
    server = make_server()
    if os.geteuid() == 0:
        found = ordinary_python()
        if found is None:
            pytest.skip("no interpreter that has our packages can be run by an ordinary account")
        program, environment = found
        os.chown(server.home, 65534, 65534)
        more = {"user": 65534, "group": 65534, "extra_groups": [], "env": environment, "cwd": "/"}
    else:
        program, more = sys.executable, {}
    done = subprocess.run(
        [program, "-c", ORDINARY, str(server.home)], capture_output=True, text=True, check=False, timeout=120, **more
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["steward_app", "True", "True", "True", "False"]
    assert server.processes() == []


# Secrets, sockets and roles


@pytest.mark.parametrize("role", ["steward_owner", "steward_app"])
@pytest.mark.parametrize("password", ["wrong", "", None])
def test_a_wrong_password_is_refused(running, monkeypatch, role, password):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", os.devnull)
    conninfo = psycopg.conninfo.make_conninfo(
        host=str(running.files.socket_folder()), port="5432", user=role, dbname="postgres", password=password
    )
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(conninfo)


def test_one_roles_password_is_not_the_others(running):
    files = running.files
    assert files.password("steward_owner") != files.password("steward_app")
    conninfo = psycopg.conninfo.make_conninfo(
        running.postgres.start().owner_conninfo("postgres"), password=files.password("steward_app")
    )
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(conninfo)


def test_passwords_are_stored_as_scram_verifiers(running):
    with owner(running) as connection:
        stored = connection.execute(
            "SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin ORDER BY 1"
        ).fetchall()
    assert [name for name, _ in stored] == ["steward_app", "steward_owner"]
    assert all(password.startswith("SCRAM-SHA-256$") for _, password in stored)


def test_nobody_is_trusted_without_a_password(running):
    text = (running.files.data / "pg_hba.conf").read_text(encoding="utf-8")
    rules = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert rules
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}


def test_there_is_no_tcp_listener(running):
    sockets = {
        os.readlink(link).removeprefix("socket:[").removesuffix("]")
        for pid in running.processes()
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if os.readlink(link).startswith("socket:[")
    }
    assert sockets
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        lines = path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else []
        assert not [line for line in lines if line.split()[3] == "0A" and line.split()[9] in sockets]
    with owner(running) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone()[0] == ""


def test_files_are_closed_to_others(running):
    files = running.files

    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(files.secrets) == 0o700
    assert {path.name: mode(path) for path in files.secrets.iterdir()} == {
        "steward_owner": 0o600,
        "steward_app": 0o600,
    }
    for folder in (files.cluster, files.data, files.socket_folder()):
        assert mode(folder) == 0o700
    assert mode(files.socket_folder() / ".s.PGSQL.5432") == 0o700
    assert mode(files.root) == 0o711
    assert mode(files.log) & 0o077 == 0
    assert not (files.cluster / "owner.password").exists()


def test_a_commit_is_durable(running):
    with owner(running) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone()[0] == "on"


def test_the_application_role_may_log_in_and_little_else(running):
    with psycopg.connect(running.postgres.start().app_conninfo("postgres"), autocommit=True) as connection:
        row = connection.execute(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, rolcanlogin "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, True)
        for statement in ("CREATE TABLE mine (x integer)", "CREATE ROLE mine", "CREATE DATABASE mine"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_environment_of_the_caller_does_not_reach_the_server(make_server, monkeypatch):
    monkeypatch.setenv("STEWARD_TEST_SECRET", "hunter2")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    server = make_server()
    server.postgres.start()
    environment = Path(f"/proc/{server.postmaster()}/environ").read_bytes()
    assert b"hunter2" not in environment
