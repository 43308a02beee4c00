"""The one way a formula is written."""

from __future__ import annotations

from steward.verifier.core.formula import parse
from steward.verifier.core.printer import show


def canonical(text: str) -> str:
    """A formula in its canonical form; one that holds a comment stays as it is, since no tree holds comments.

    `BadInput` with line and column where `text` is no formula.
    """
    node = parse(text)
    written = show(node)
    outside = text.replace("\\\\", "").replace('\\"', "").split('"')[::2]
    return text if any("#" in part for part in outside) else written
