"""Embedded servers of a test's own, durable as in real life, in homes the service account can reach."""

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest


class Server:
    """One home and its server; what the tests ask of /proc stands here."""

    def __init__(self, home: Path) -> None:
        from steward.infra.postgres import EmbeddedPostgres

        self.home = home
        self.postgres = EmbeddedPostgres(home)
        self.files = self.postgres.files

    def postmaster(self) -> int:
        from steward.infra.orphans import postmaster_pid

        pid = postmaster_pid(self.files.data)
        assert pid is not None
        return pid

    def processes(self) -> list[int]:
        from steward.infra.orphans import server_processes

        return server_processes(self.files.data)

    def postmasters(self) -> list[int]:
        """Server processes that are not children of another one."""
        own = self.processes()
        return [pid for pid in own if status(pid, "PPid") not in own]

    def kill(self) -> None:
        """kill -9 of the postmaster alone."""
        pid = self.postmaster()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in self.processes())


def status(pid: int, name: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in text.splitlines() if line.startswith(f"{name}:")).split()[1])


def wait_until(true, seconds=20.0):
    """Poll until `true()`; the test fails where it never is."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def take_down(server: Server) -> None:
    """Stop the server whatever state a test left it in, and remove all it wrote."""
    with suppress(Exception):
        server.postgres.stop()
    for pid in server.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.processes())
    socket_folder = server.files.socket_folder()
    if not socket_folder.is_relative_to(server.home):
        shutil.rmtree(socket_folder, ignore_errors=True)


@pytest.fixture(scope="session")
def proc():
    """What the tests ask about processes."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system has no /proc to look at processes in")

    class Proc:
        pass

    Proc.status = staticmethod(status)
    Proc.wait_until = staticmethod(wait_until)
    return Proc


def _servers():
    made = []

    def make(below: str = "", mode: int = 0o711) -> Server:
        folder = Path(tempfile.mkdtemp(prefix="steward-infra-")).resolve()
        folder.chmod(mode)
        made.append((Server(folder / below), folder))
        return made[-1][0]

    yield make
    for server, folder in made:
        take_down(server)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_server(proc):
    yield from _servers()


@pytest.fixture(scope="module")
def running(proc):
    """A server that tests of one file share and leave as it is."""
    for make in _servers():
        server = make()
        server.postgres.start()
        yield server
