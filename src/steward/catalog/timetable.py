"""What runs when: schedules.yaml, which is no part of the catalog's digest, because no decision depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from steward.catalog.loader import Catalog, Problem, list_of
from steward.contracts.schedule import Schedule
from steward.infra.cron import check_cron
from steward.kernel.errors import BadInput

FILE = "schedules.yaml"


def load_schedules(root: Traversable | None = None) -> tuple[Schedule, ...]:
    """The schedules beside a catalog; a catalog that says nothing of them has the shipped ones."""
    base = root if root is not None and (root / FILE).is_file() else files("steward.catalog")
    return list_of(Schedule, base, FILE)


def check_schedules(catalog: Catalog) -> Iterator[Problem]:
    """Every problem: a name that stands twice, a time that never comes or cannot be read."""
    schedules = load_schedules(catalog.root)
    for name in sorted({one.name for one in schedules if sum(two.name == one.name for two in schedules) > 1}):
        yield {"where": FILE, "what": f"{name} stands twice", "fix": "remove one"}
    for number, schedule in enumerate(schedules):
        try:
            check_cron(schedule.cron, schedule.zone)
        except BadInput as error:
            yield {"where": catalog.at(FILE, number), "what": f"{schedule.name}: {error.what}", "fix": error.fix}
