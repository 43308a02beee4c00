"""How many futures the cash forecast's interval holds, on histories of independent weeks that go on as they were. The
control is an interval half as wide: it must hold clearly fewer.
"""

import json
import random
import sys
from datetime import date

from results import machine, save

from steward.ledger.core.forecast import WEEKS_AHEAD, forecast

DAY = date(2026, 1, 1)


def held(weeks, tried, seed):
    """Shares of futures inside the interval at its last week, and inside one half as wide."""
    rng, inside, narrow = random.Random(seed), 0, 0
    for number in range(tried):
        past = [rng.randrange(-900, 1100) for _ in range(weeks)]
        future = sum(rng.randrange(-900, 1100) for _ in range(WEEKS_AHEAD))
        last = forecast(0, past, DAY, random.Random(number).randrange)[-1]
        quarter = (last.high_minor - last.low_minor) // 4
        inside += last.low_minor <= future <= last.high_minor
        narrow += last.low_minor + quarter <= future <= last.high_minor - quarter
    return f"{inside / tried:.3f}", f"{narrow / tried:.3f}"


def main():
    found = {weeks: held(weeks, 200, 9) for weeks in (13, 26, 40)}
    document = {
        "name": "forecast",
        "machine": machine(),
        "held": {weeks: whole for weeks, (whole, _) in found.items()},
        "control_half_as_wide": {weeks: half for weeks, (_, half) in found.items()},
    }
    save(document)
    print(json.dumps(document, indent=1))
    sys.exit(any(float(half) > float(whole) - 0.1 for whole, half in found.values()))


if __name__ == "__main__":
    main()
