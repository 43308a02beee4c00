"""Well-kept parsers and our readers on the same sample files: who takes a file whose totals do not hold.

Needs STEWARD_TEST_DATA. The judges are those of bench/settlement_fuzz.py. The control is our reader with the check of
totals switched off: it must take some of those files, as the library does.
"""

import json
import os
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import mt940
import settlement_judges as judges
from openpyxl.worksheet._reader import _cast_number
from results import machine, save
from settlement_fuzz import switched_off

from steward.kernel.errors import BadInput
from steward.reconciliation.readers import read
from steward.reconciliation.readers.amounts import minor
from steward.reconciliation.readers.workbook import number_text


def holds(content):
    """Whether a file states balances or totals and they hold; None where it is no whole message."""
    text = content.decode("latin-1")
    if ":20:" not in text or ":25:" not in text or not (":61:" in text or ":62" in text):
        return None
    try:
        return not judges.mt940(content)[1]
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return None


def library(content):
    try:
        mt940.parse(content.decode("utf-8", "replace"))
    except Exception as error:  # noqa: BLE001 - the library raises RuntimeError, ValueError and more
        return f"refused ({type(error).__name__})"
    return "taken"


def ours(content):
    try:
        return "taken" if read("mt940", content, "x").refused is None else "refused"
    except BadInput:
        return "refused"


def cells():
    """Amounts of 0.01 to 1,000.00: how many lose a cent as a float that is scaled and cut, and how many as we read."""
    amounts = range(1, 100_001)
    texts = [f"{Decimal(amount).scaleb(-2)}" for amount in amounts]
    lost = sum(int(_cast_number(text) * 100) != amount for text, amount in zip(texts, amounts, strict=True))
    own = sum(minor(number_text(text), "USD") != amount for text, amount in zip(texts, amounts, strict=True))
    return {"amounts": len(texts), "openpyxl_float_times_100_cut": lost, "our_reader": own}


def main():
    folder = os.environ.get("STEWARD_TEST_DATA")
    if not folder:
        print("STEWARD_TEST_DATA names no folder", file=sys.stderr)
        return 2
    files = [path.read_bytes() for path in sorted(Path(folder, "settlements", "mt940").glob("*"))]
    kinds = {True: "totals hold", False: "totals do not hold", None: "no whole message"}
    table = {"mt-940": Counter(), "steward": Counter()}
    for content in files:
        for name, one in (("mt-940", library), ("steward", ours)):
            table[name][f"{kinds[holds(content)]}: {one(content)}"] += 1
    switched_off()
    control = sum(holds(content) is False and ours(content) == "taken" for content in files)
    document = {
        "name": "settlement_libraries",
        "machine": machine(),
        "mt940_samples": len(files),
        "mt940": {name: dict(sorted(found.items())) for name, found in table.items()},
        "control_takes_wrong_totals": control,
        "cells": cells(),
    }
    save(document)
    print(json.dumps(document, indent=1))
    wrong = table["steward"]["totals do not hold: taken"] + document["cells"]["our_reader"]
    return 1 if wrong or not control else 0


if __name__ == "__main__":
    sys.exit(main())
