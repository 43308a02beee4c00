"""The embedded PostgreSQL 18: start, wait through crash recovery, stop.

Any number of processes may ask at once: one starts the server under a file lock, the others find it running. It
stays up for the next command until `steward db stop`. Passwords (SCRAM) are asked of everybody; it listens on a
socket in a closed folder and on no network address.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from steward.infra import orphans
from steward.infra.account import ServiceAccount, service_account
from steward.infra.server_files import ServerFiles
from steward.kernel.errors import Infrastructure

OWNER = "steward_owner"
APP = "steward_app"
# Crash recovery replays up to max_wal_size of log; on a slow disk that takes minutes, not pg_ctl's default seconds.
_START_SECONDS = 300
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "pglz",
    "wal_level": "replica",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and how to reach it."""

    socket_folder: Path
    files: ServerFiles

    def conninfo(self, role: str, database: str) -> str:
        return make_conninfo(
            host=str(self.socket_folder),
            port="5432",
            user=role,
            password=self.files.password(role),
            dbname=database,
        )

    def owner_conninfo(self, database: str) -> str:
        return self.conninfo(OWNER, database)

    def app_conninfo(self, database: str) -> str:
        return self.conninfo(APP, database)


class EmbeddedPostgres:
    """The server of one STEWARD_HOME. `settings` add to or replace its configuration (tests turn fsync off)."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self._files = ServerFiles(home.resolve())
        self._settings = {**_SETTINGS, **(settings or {})}

    def start(self) -> Server:
        """Make sure the server runs and answers. About 10 ms when it already does, under a second the first time."""
        server = Server(self._files.socket_folder(), self._files)
        if self._answers():
            return server
        account = service_account()
        self._files.prepare(account)
        with self._locked():
            if not self._answers():
                programs = self._files.programs(account)
                self._initialise(account, programs)
                if orphans.is_running(self._files.data):
                    self._wait_until_ready()
                else:
                    self._launch(account, programs)
            self._ensure_app_role(server)
        return server

    def stop(self) -> bool:
        """Stop the server, waiting for it to end; whether it was running."""
        if not self._files.data.exists():
            return False
        account = service_account()
        with self._locked():
            if not orphans.is_running(self._files.data):
                return False
            programs = self._files.programs(account)
            command = [str(programs / "pg_ctl"), "-D", str(self._files.data), "-m", "fast", "-w", "stop"]
            done = account.run(command, self._files.data)
            if done.returncode:
                raise Infrastructure(f"the server did not stop: {done.stderr.strip()}", fix=f"see {self._files.log}")
            return True

    def is_running(self) -> bool:
        return orphans.is_running(self._files.data)

    @property
    def files(self) -> ServerFiles:
        return self._files

    @contextmanager
    def _locked(self) -> Generator[None]:
        with self._files.lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _answers(self) -> bool:
        """Whether the server takes a connection now (and has its roles)."""
        if not (self._files.secrets / APP).exists() or not (self._files.secrets / OWNER).exists():
            return False
        if not (self._files.cluster / "ready").exists():
            return False
        try:
            server = Server(self._files.socket_folder(), self._files)
            psycopg.connect(server.app_conninfo("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        server = Server(self._files.socket_folder(), self._files)
        while True:
            try:
                psycopg.connect(server.owner_conninfo("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline or not orphans.is_running(self._files.data):
                    raise Infrastructure(f"the server does not answer: {error}", fix=f"see {self._files.log}") from None
                time.sleep(0.05)
            else:
                return

    def _initialise(self, account: ServiceAccount, programs: Path) -> None:
        """Run initdb into a folder beside, then rename: a crash in between leaves nothing half-made.

        The folder is this attempt's own: the initdb of an attempt that was killed may still be writing to its.
        """
        files = self._files
        for leftover in files.cluster.glob("data.new.*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for leftover in files.cluster.glob("owner.password.*"):
            leftover.unlink(missing_ok=True)
        if files.data.exists():
            return
        attempt = f"{os.getpid()}.{time.monotonic_ns()}"
        fresh = files.cluster / f"data.new.{attempt}"
        password_file = files.cluster / f"owner.password.{attempt}"
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(files.password(OWNER))
        account.own(password_file)
        try:
            done = account.run(
                [
                    str(programs / "initdb"),
                    f"--pgdata={fresh}",
                    f"--username={OWNER}",
                    "--auth=scram-sha-256",
                    f"--pwfile={password_file}",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                ],
                files.cluster,
            )
        finally:
            password_file.unlink(missing_ok=True)
        if done.returncode:
            raise Infrastructure(f"initdb failed: {done.stderr.strip()}", fix=f"check the disk under {files.cluster}")
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude 'steward.conf'\n")
        self._write_settings(account, fresh)
        fresh.rename(files.data)

    def _write_settings(self, account: ServiceAccount, data: Path) -> None:
        """Written at every start, because the home, and with it the socket folder, may have moved."""
        settings = {**self._settings, "unix_socket_directories": f'"{self._files.socket_folder()}"'}
        lines = ["{} = '{}'\n".format(name, value.replace("'", "''")) for name, value in settings.items()]
        temporary = data / "steward.conf.new"
        temporary.write_text("".join(lines), encoding="utf-8")
        account.own(temporary)
        temporary.replace(data / "steward.conf")

    def _launch(self, account: ServiceAccount, programs: Path) -> None:
        files = self._files
        orphans.clear(files.data, files.socket_leftovers())
        self._write_settings(account, files.data)
        command = [str(programs / "pg_ctl"), "-D", str(files.data), "-l", str(files.log), "-w"]
        code = account.launch([*command, "-t", str(_START_SECONDS), "start"], files.data, _START_SECONDS + 30)
        if code:
            tail = files.log.read_text(errors="replace").splitlines()[-5:] if files.log.exists() else []
            raise Infrastructure(f"the server did not start: {' / '.join(tail)}", fix=f"see {files.log}")

    def _ensure_app_role(self, server: Server) -> None:
        """The role the application logs in as: it owns nothing and may do what migrations grant it."""
        ready = self._files.cluster / "ready"
        if ready.exists():
            return
        password = self._files.password(APP)
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP,)).fetchone()
            verb = sql.SQL("ALTER" if exists else "CREATE")
            connection.execute(
                sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                    verb, sql.Identifier(APP), sql.Literal(password)
                )
            )
        ready.touch()
