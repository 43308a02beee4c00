"""Those who come while the gate is busy go through it together, in one transaction."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from steward.kernel.errors import Infrastructure

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    is_done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: BaseException | None = None


class Turnstile(Generic[Item, Answer]):
    """Threads hand in one item each; one of them passes all that wait, at most `most` at a time. Where passing them
    together fails, each is passed alone, so that nobody pays for somebody else's fault.
    """

    def __init__(self, together: Callable[[list[Item]], list[Answer]], most: int) -> None:
        self._together = together
        self._most = most
        self._queue: deque[_Waiting[Item, Answer]] = deque()
        self._turn = threading.Lock()

    def through(self, item: Item) -> Answer:
        """The answer for this item, in whichever group it goes through; what passing it raised is raised here."""
        mine = _Waiting[Item, Answer](item)
        self._queue.append(mine)
        while not mine.is_done.is_set():
            with self._turn:
                if not mine.is_done.is_set():
                    self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # pyright: ignore[reportReturnType] - done without an error has its answer

    def _lead(self) -> None:
        group = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
        try:
            self._pass(group)
        except Exception as error:  # noqa: BLE001 - it is raised where the item came from
            if len(group) == 1:
                group[0].error = error
            else:
                for one in group:
                    self._alone(one)
        finally:
            for one in group:
                if one.answer is None and one.error is None:
                    one.error = Infrastructure("who led the way through the gate was interrupted", fix="try again")
                one.is_done.set()

    def _alone(self, one: _Waiting[Item, Answer]) -> None:
        try:
            self._pass([one])
        except Exception as error:  # noqa: BLE001 - it is raised where the item came from
            one.error = error

    def _pass(self, group: list[_Waiting[Item, Answer]]) -> None:
        for one, answer in zip(group, self._together([one.item for one in group]), strict=True):
            one.answer = answer
