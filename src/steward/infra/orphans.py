"""What a kill -9 of the server leaves behind: backends that hold shared memory, a stale pid file, socket files."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from steward.kernel.errors import Infrastructure

_GRACE_SECONDS = 10.0


def server_processes(data: Path) -> list[int]:
    """Live postgres processes whose working directory is the data folder (empty where there is no /proc)."""
    found: list[int] = []
    proc = Path("/proc")
    for entry in proc.iterdir() if proc.is_dir() else ():
        if not entry.name.isdigit():
            continue
        try:
            is_ours = (entry / "cwd").readlink() == data and (entry / "comm").read_text().strip() == "postgres"
            is_zombie = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue  # it ended while we looked, or it is not ours to look at
        if is_ours and not is_zombie:
            found.append(int(entry.name))
    return sorted(found)


def postmaster_pid(data: Path) -> int | None:
    """The pid the data folder's pid file names."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def is_running(data: Path) -> bool:
    """Whether the postmaster itself is alive, ready or still recovering."""
    pid = postmaster_pid(data)
    return pid is not None and pid in server_processes(data)


def clear(data: Path, sockets: list[Path]) -> None:
    """With the postmaster gone, end its orphans and remove its stale files: nothing stands in a start's way."""
    deadline = time.monotonic() + _GRACE_SECONDS
    sent = signal.SIGQUIT
    while orphans := server_processes(data):
        for pid in orphans:
            try:
                os.kill(pid, sent)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            if sent == signal.SIGKILL:
                raise Infrastructure(f"processes {orphans} of the old server do not end", fix="restart the machine")
            sent, deadline = signal.SIGKILL, time.monotonic() + _GRACE_SECONDS
        time.sleep(0.02)
    for path in [data / "postmaster.pid", *sockets]:
        path.unlink(missing_ok=True)
