"""The whole error tree. Expected outcomes are values; these are for broken input, programs and plumbing.

StewardError                    every error of ours; carries a stable `code` and what to do
├── BadInput                    a file, argument or message we cannot read        exit code 2
│   └── CatalogError            the catalog contradicts itself                     exit code 2
├── Conflict                    same key, other body; wrong expected version       exit code 1
├── Tampered                    stored bytes do not match their digest             exit code 1
├── Infrastructure              the database, a process or a disk is at fault     exit code 3
└── Busy                        a bounded queue is full: come back in a second     exit code 3
"""

from __future__ import annotations


class StewardError(Exception):
    """An error a person can act on: what happened, where, and what to do about it."""

    code = "error"
    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.fix:
            parts.append(self.fix)
        return ". ".join(part.rstrip(".") for part in parts)


class BadInput(StewardError):
    code = "bad_input"
    exit_code = 2


class CatalogError(BadInput):
    code = "catalog"


class Conflict(StewardError):
    code = "conflict"


class Tampered(StewardError):
    code = "tampered"


class Infrastructure(StewardError):
    code = "infrastructure"
    exit_code = 3


class Busy(StewardError):
    code = "busy"
    exit_code = 3
