"""Which operating-system account runs the embedded server, and what it can reach.

PostgreSQL refuses to run as root. As root we run it as an existing unprivileged account; we never add one.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steward.kernel.errors import Infrastructure

_CANDIDATES = ("nobody", "daemon")
# What a server process needs of the environment; the rest is none of its business.
_ENVIRONMENT = {"LANG": "C", "LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The account that owns the data folder; `is_other` where it is not the account we run as."""

    uid: int
    gid: int
    name: str
    is_other: bool

    def run(self, command: list[str], cwd: Path, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as the account, in a session of its own, with next to no environment. Never raises for its
        exit code; output is what it printed.
        """
        return subprocess.run(  # noqa: S603  (commands are built here, never from input)
            command,
            cwd=cwd,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            start_new_session=True,
            check=False,
            **self._as_account(),
        )

    def launch(self, command: list[str], cwd: Path, timeout: float) -> int:
        """Run a command that leaves a server behind, which would keep a pipe open: no output is read."""
        with subprocess.Popen(  # noqa: S603  (as above)
            command,
            cwd=cwd,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._as_account(),
        ) as process:
            return process.wait(timeout)

    def _as_account(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def can_run(self, program: Path) -> bool:
        """Whether the account reaches a program and all it links to: tried, not guessed from modes."""
        try:
            return self.run([str(program), "--version"], Path("/"), timeout=30).returncode == 0
        except OSError:
            return False

    def can_enter(self, folder: Path) -> bool:
        """Whether the account may search a folder, from the root down."""
        try:
            return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], Path("/"), timeout=30).returncode == 0
        except OSError:
            return False

    def own(self, path: Path) -> None:
        """Hand a file or folder that we created to the account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)


def service_account() -> ServiceAccount:
    """Ourselves; as root an existing unprivileged account."""
    if os.geteuid() != 0:
        return ServiceAccount(os.geteuid(), os.getegid(), str(os.geteuid()), is_other=False)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServiceAccount(entry.pw_uid, entry.pw_gid, name, is_other=True)
    raise Infrastructure(
        f"PostgreSQL does not run as root, and there is no account {' or '.join(_CANDIDATES)}",
        fix="run as an ordinary user, or set STEWARD_DATABASE_URL to a server",
    )
