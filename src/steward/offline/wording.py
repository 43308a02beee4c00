"""Text patterns offline: run again where a plain pattern allows it, else both answers are tried and that is said.

The system matches by RE2, which no standard library has. A pattern without repetition means the same to Python's `re`
and cannot be slow there, so it is run. Any other is recorded by its digest and that of the text.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LETTER = r"[A-Za-z0-9 ,'_/!@#%&=:;\"-]"
_ESCAPE = r"\\[bBdw.+*()?$|-]"
_CLASS = r"\[[A-Za-z0-9 _-]+\]"
_PLAIN = re.compile(rf"(?:{_LETTER}|{_ESCAPE}|{_CLASS}|\(\?:|\((?!\?)|[)|^$]|(?<=[A-Za-z0-9\])])\?(?!\?))*")
TRIES_MAX = 64
Asked = tuple[str, str]
"""SHA-256 of a pattern and of the text it was asked of."""


def normalised(text: str) -> str:
    """NFKC, casefold, and no format characters, as the system normalises text before it matches."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")


class Wording:
    """What was asked of text: how often it was run again, and the answers taken where it could not be."""

    def __init__(self) -> None:
        self.rerun = 0
        self.answers: dict[Asked, bool] = {}
        self.asked: list[Asked] = []

    def start(self, answers: dict[Asked, bool]) -> None:
        """Before a rule is evaluated: the answers to give; what is asked beyond them is no, and is listed."""
        self.answers, self.asked = answers, []

    def matches(self, text: str, pattern: str) -> bool:
        if _PLAIN.fullmatch(pattern):
            self.rerun += 1
            ours = pattern.replace("\\$", "\0").replace("$", "\\Z").replace("\0", "\\$")
            return re.search(ours, normalised(text), re.IGNORECASE | re.ASCII) is not None
        key = (hashlib.sha256(pattern.encode()).hexdigest(), hashlib.sha256(text.encode()).hexdigest())
        self.asked.append(key)
        return self.answers.get(key, False)


WORDING = Wording()


def compiled(pattern: str) -> str:
    """Whether a pattern is RE2 was settled when the catalog was read; here it is only text."""
    return pattern


def matches(text: str, pattern: str) -> bool:
    return WORDING.matches(text, pattern)
