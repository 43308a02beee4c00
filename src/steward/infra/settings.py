"""Every setting, typed, with its default and its reason. Read from the environment, once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steward.kernel.errors import BadInput

DEFAULT_PORT = 7107


@dataclass(frozen=True, slots=True)
class Settings:
    """`home` is Steward's own folder; `database_url` a server instead of the embedded one; pages listen on `host`;
    `catalog` is a folder instead of the shipped catalog; `demonstration` is the file whose clock a demonstration's
    database lives by (infra/demonstration.py).
    """

    home: Path
    database_url: str | None
    host: str
    port: int
    catalog: Path | None = None
    demonstration: Path | None = None


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """STEWARD_HOME, STEWARD_DATABASE_URL, STEWARD_HOST (loopback unless told), STEWARD_PORT, STEWARD_CATALOG,
    STEWARD_DEMONSTRATION.
    """
    env = os.environ if environment is None else environment
    home = env.get("STEWARD_HOME")
    port = env.get("STEWARD_PORT", str(DEFAULT_PORT))
    if not port.isdecimal() or int(port) > 65535:
        raise BadInput(f"STEWARD_PORT is {port!r}", fix="give a port number")
    return Settings(
        home=(Path(home) if home else default_home(env)).expanduser().resolve(),
        database_url=env.get("STEWARD_DATABASE_URL") or None,
        host=env.get("STEWARD_HOST", "127.0.0.1"),
        port=int(port),
        catalog=_path(env, "STEWARD_CATALOG"),
        demonstration=_path(env, "STEWARD_DEMONSTRATION"),
    )


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]).expanduser().resolve() if env.get(name) else None


def default_home(env: Mapping[str, str]) -> Path:
    """The user's data folder; for root a system folder, because root's own is closed to the database's account."""
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/steward")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "steward"
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "steward"
