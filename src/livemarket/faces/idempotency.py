"""One key, one effect: the first answer is kept and given again for as long as the provider says it does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from livemarket.faces.calls import Answer, Call


@dataclass
class Kept:
    """A key in use. No answer yet: the first call still runs."""

    fingerprint: str
    born: int
    answer: Answer | None = None


def fingerprint(call: Call) -> str:
    """Method, path and body."""
    return hashlib.sha256(b"\n".join([call.method.encode(), call.path.encode(), call.body])).hexdigest()


class Keys:
    """The keys of one face. `lifetime` in seconds of the business."""

    def __init__(self, lifetime: int) -> None:
        self.lifetime = lifetime
        self._kept: dict[str, Kept] = {}

    def look(self, key: str, call: Call, now: int) -> Kept | None:
        """What is known of the key; an old one is forgotten. None: new, and from now on in use."""
        known = self._kept.get(key)
        if known and now - known.born < self.lifetime:
            return known
        self._kept[key] = Kept(fingerprint(call), now)
        return None

    def keep(self, key: str, answer: Answer) -> None:
        """The first call has ended; an answer that is not to be kept frees the key."""
        if answer.kept:
            self._kept[key].answer = answer
        else:
            self.free(key)

    def free(self, key: str) -> None:
        """As if it had never been used."""
        del self._kept[key]
