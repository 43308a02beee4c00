"""A world: what it is made from, where it stands, and one step of a day."""

from __future__ import annotations

import numpy as np

from livemarket.core import entities, exact, keyed
from livemarket.core.acts import Act, Verb
from livemarket.core.arrays import Floats, Ints
from livemarket.core.facts import Facts
from livemarket.core.interventions import Intervention, applied
from livemarket.core.keyed import Purpose
from livemarket.core.setting import Setting
from livemarket.core.state import State, Word, initial


class World:
    """Deterministic in (setting, seed). `keep` says whether each day's facts are wanted."""

    def __init__(self, setting: Setting, seed: int, *, keep: bool = False) -> None:
        self.setting = setting
        self.seed = seed
        self.keep = keep
        self.products = entities.products(setting, seed)
        self.creators = entities.creators(setting, seed)
        self.suppliers = entities.suppliers(setting, seed)
        self.graph = setting.graph
        self.plan: tuple[Intervention, ...] = setting.plan
        self.state: State = initial(setting, seed)
        self.facts = Facts(kept=keep)
        self.skus = np.arange(setting.shop.skus, dtype=np.int64)
        self.today: dict[str, int] = {}
        self.acts: tuple[Act, ...] = ()  # of the day that is lived next
        self._names = {name: parameter.value for name, parameter in setting.parameters.items()}

    def fork(self, plan: tuple[Intervention, ...] = (), seed: int | None = None) -> World:
        """Another world that stands where this one stands and goes on under more interventions, or with other luck
        from now on.
        """
        other = World.__new__(World)
        other.__dict__.update(self.__dict__)
        other.plan = self.plan + plan
        other.seed = self.seed if seed is None else seed
        other.state = self.state.copy()
        other.facts = Facts(kept=self.keep)
        other.today = dict(self.today)
        return other

    @property
    def day(self) -> int:
        return self.state.day

    @property
    def weekday(self) -> int:
        """0 is Monday; the world begins on one."""
        return self.state.day % 7

    def number(self, name: str) -> float:
        return self._names[name]

    def draw(self, purpose: Purpose, keys: Ints, count: int) -> Floats:
        """Uniform numbers of these entities for today and this purpose."""
        return keyed.uniforms(self.seed, keys, self.state.day, purpose, count)

    def word(self, which: Word, rows: Ints) -> Floats:
        """One of the orders' own numbers."""
        return keyed.unit(self.state.words.at(rows, which))

    def do(self, variable: str, values: Floats, entities: Ints | None = None) -> Floats:
        """The variable as whatever comes after it sees it: forced, if the plan forces it today."""
        if not self.plan:
            return values
        return applied(self.plan, variable, self.state.day, values, entities)

    def do_one(self, variable: str, value: float) -> float:
        return float(self.do(variable, np.array([value]))[0])

    def due(self, verb: Verb, rows: Ints, seconds: Ints) -> list[Act]:
        """Take from `acts` those of this kind on these orders that come before the moment each of them has here."""
        if not self.acts or not len(rows):
            return []
        moment = dict(zip(rows.tolist(), np.broadcast_to(seconds, rows.shape).tolist(), strict=True))
        found = [a for a in self.acts if a.verb == verb and a.entity in moment and a.second <= moment[a.entity]]
        self.acts = tuple(act for act in self.acts if act not in found)
        return sorted(found, key=lambda act: act.second)

    def count(self, name: str, amount: int) -> None:
        """Add to today's truth."""
        self.today[name] = self.today.get(name, 0) + amount

    def log(self, name: str) -> float:
        """The logarithm of a parameter."""
        return float(exact.log(np.array([self._names[name]]))[0])

    def business_day_after(self, day: int, days: int) -> int:
        """`days` business days after `day`; Saturday and Sunday are none."""
        for _ in range(days):
            day += 1
            while day % 7 >= 5:
                day += 1
        return day
