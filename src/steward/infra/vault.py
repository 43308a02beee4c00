"""Secrets of the outside world: webhook secrets, API keys and addresses of providers. From the environment, or from one
file only its owner may read; never from the catalog or the database, and never printed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from steward.kernel.errors import BadInput

_GUIDE = "see docs/guides/webhooks.md"
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _File(TypedDict, total=False):
    """The file's form. Pydantic checks it; other keys are errors."""

    webhooks: dict[_Name, list[str]]
    keys: dict[_Name, str]
    addresses: dict[_Name, str]
    settings: dict[_Name, str]


_File.__pydantic_config__ = ConfigDict(extra="forbid")  # pyright: ignore[reportAttributeAccessIssue] - pydantic reads it
_FILE = TypeAdapter(_File)


@dataclass(frozen=True, slots=True)
class Vault:
    """`webhooks` secrets by provider, newest first (any that fits counts, so keys can be rotated); `keys` and
    `addresses` of the providers' own APIs; `settings` of tools that are no secrets.
    """

    webhooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]], repr=False)
    keys: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    addresses: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


def open_vault(file: Path, environment: Mapping[str, str] | None = None) -> Vault:
    """STEWARD_WEBHOOK_<PROVIDER> (several secrets separated by commas), STEWARD_KEY_<PROVIDER> and
    STEWARD_ADDRESS_<PROVIDER>, STEWARD_SETTING_<TOOL>_<NAME>; what they do not name comes from `file`: YAML with
    `webhooks`, `keys`, `addresses`, `settings`.
    """
    env = os.environ if environment is None else environment
    document = _read(file)
    webhooks = {name: tuple(secrets) for name, secrets in document.get("webhooks", {}).items()}
    webhooks |= {
        name: tuple(part.strip() for part in value.split(",") if part.strip())
        for name, value in _named(env, "STEWARD_WEBHOOK_").items()
    }
    return Vault(
        webhooks=webhooks,
        keys={**document.get("keys", {}), **_named(env, "STEWARD_KEY_")},
        addresses={**document.get("addresses", {}), **_named(env, "STEWARD_ADDRESS_")},
        settings={**document.get("settings", {}), **_named(env, "STEWARD_SETTING_")},
    )


def _named(env: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name[len(prefix) :].lower(): value for name, value in env.items() if name.startswith(prefix) and value}


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise BadInput("others may read this file of secrets", where=str(file), fix="chmod 600 it")
    try:
        document: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(
            "this file of secrets is not YAML", where=str(file), fix="see docs/guides/webhooks.md"
        ) from error
    if not _fits(document):
        raise BadInput(
            "needs `webhooks` (lists of text), `keys`, `addresses` and `settings` (text), each by name",
            where=str(file),
            fix=_GUIDE,
        )
    return document


def _fits(document: Any) -> bool:
    try:
        _FILE.validate_python(document)
    except ValidationError:
        return False
    return True
