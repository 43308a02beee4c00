"""Regular expressions over normalised text, by RE2 (linear time, so no pattern can be slow).

A pattern bounds wording, not meaning. Text is normalised first so that wording cannot hide in its encoding:
NFKC, case folded, zero-width and other invisible format characters removed.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

import re2  # pyright: ignore[reportMissingTypeStubs] - it has none, here and below

from steward.kernel.errors import BadInput

PATTERN_MAX = 1_000


def normalised(text: str) -> str:
    """NFKC, casefold, and no format characters (Unicode category Cf: zero-width, soft hyphen and the like)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The pattern, case-insensitive as the text is folded; `BadInput` if RE2 cannot read it."""
    if len(pattern) > PATTERN_MAX:
        raise BadInput(f"a pattern of more than {PATTERN_MAX} characters")
    options: Any = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 1 << 22
    try:
        return re2.compile(pattern, options)  # pyright: ignore[reportUnknownMemberType]
    except re2.error as error:  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        why = error.args[0]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - re2 has no types
        told = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)  # pyright: ignore[reportUnknownArgumentType] - the same
        raise BadInput(f"{pattern!r} is not an RE2 pattern: {told}") from None


def matches(text: str, pattern: str) -> bool:
    """Whether `pattern` occurs anywhere in the normalised text; write ^...$ for all of it."""
    safe = normalised(text).encode("utf-8", "replace").decode()
    return compiled(pattern).search(safe) is not None
