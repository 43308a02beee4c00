"""Every file that ever came in, as it came, by its digest."""

from __future__ import annotations

import os
from pathlib import Path

from steward.infra.entropy import random_bytes


def keep_file(folder: Path, digest: str, content: bytes) -> None:
    """Write the content under its digest, once, and make sure that it is on the disk."""
    path = folder / digest[:2] / digest
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{digest}.{random_bytes(4).hex()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
