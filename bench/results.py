"""What every benchmark shares: the machine it ran on, where results are kept, a smaller history."""

import gzip
import json
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"
SAMPLE = ROOT / "src/steward/catalog/samples/online_retail_2011-05_2011-07.csv.gz"


def machine():
    """Enough to compare: processor count, system, Python; no names."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def save(document):
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{document['name']}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def thinned_history(folder):
    """The shipped history with three in ten of its orders and all its cancellations, as a file."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as file:
        header, *lines = file.read().splitlines(keepends=True)
    path = folder / "history.csv"
    kept = [line for line in lines if re.match(r"\d+[012],|\D", line)]
    path.write_text("".join([header, *kept]), encoding="utf-8", newline="")
    return path
