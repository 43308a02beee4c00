"""The watched folder: what is put into `inbox/<provider>/` is taken, and moved to where one sees what came of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from steward.kernel.canonical import JsonObject
from steward.kernel.errors import StewardError
from steward.reconciliation.readers import PROVIDERS
from steward.reconciliation.service.files import SettlementFiles

_SETTLED_SECONDS = 30.0
"""A file that was written to more recently may not be whole yet."""


class WatchedFolder:
    """`folder` holds `inbox/<provider>`, `taken` and `refused`. A crash between taking and moving is harmless: the same
    content again is a no-op.
    """

    def __init__(self, files: SettlementFiles, folder: Path) -> None:
        self._files = files
        self._folder = folder

    def look(self, now: datetime) -> list[JsonObject]:
        """Take what lies there; what became of each file."""
        found: list[JsonObject] = []
        for provider in PROVIDERS:
            inbox = self._folder / "inbox" / provider
            if not inbox.is_dir():
                continue
            for path in sorted(inbox.iterdir()):
                is_whole = path.is_file() and now.timestamp() - path.stat().st_mtime >= _SETTLED_SECONDS
                if is_whole and not path.name.startswith("."):
                    found.append(self._take(provider, path))
        return found

    def _take(self, provider: str, path: Path) -> JsonObject:
        try:
            made = self._files.take(provider, path.name, path.read_bytes(), "watched folder")
            outcome = str(made["outcome"])
            reason = made["rejected"][0]["reason"] if outcome == "refused" else ""
        except StewardError as error:
            if error.exit_code == 3:  # the house is not in order: the file stays for the next look
                raise
            outcome, reason = "refused", str(error)
        target = self._folder / ("refused" if outcome == "refused" else "taken") / provider
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(target / path.name)
        if reason:
            (target / f"{path.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")
        return {"provider": provider, "name": path.name, "outcome": outcome, "reason": reason}
