"""The main job, from the outside, on real history."""

import json
import shutil
import subprocess

import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]


def pandas_figures(path):
    """What an outsider computes from the file and the published definitions. Reads nothing of ours."""
    import pandas as pd

    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows["units"] = rows.Quantity.astype(int)
    from decimal import ROUND_HALF_EVEN, Decimal

    rows["pence"] = [
        int((Decimal(p) * 100 * q).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
        for p, q in zip(rows.UnitPrice, rows.units, strict=True)
    ]
    digits = rows.InvoiceNo.str.fullmatch(r"\d+")
    orders = rows[digits & rows.groupby("InvoiceNo").units.transform("max").gt(0)]
    fees = rows.StockCode.isin(["AMAZONFEE", "BANK CHARGES", "CRUK", "S", "B"])
    cancelled = rows.InvoiceNo.str.startswith("C")
    refunds = rows[cancelled & ~fees.groupby(rows.InvoiceNo).transform("all")]
    return {
        "orders": orders.InvoiceNo.nunique(),
        "units": int(orders.units.sum()),
        "order_value_minor": int(orders.pence.sum()),
        "refunds": refunds.InvoiceNo.nunique(),
        "refund_value_minor": -int(refunds.pence.sum()),
    }


def test_figures_equal_an_independent_count(demo, small_history):
    _, figures = demo
    expected = pandas_figures(small_history)
    assert {key: figures[key] for key in expected} == expected


def test_the_whole_shared_history_equals_an_independent_count(make_shop, test_data):
    path = test_data / "online_retail" / "dev_2010-12_2011-07.csv.gz"
    figures = make_shop().json("demo", "--once", "--data", path)
    expected = pandas_figures(path)
    assert {key: figures[key] for key in expected} == expected
    assert figures["trial_balance"] == {"GBP": 0}


def test_a_second_run_repeats_nothing(demo, small_history):
    shop, figures = demo
    again = shop.json("demo", "--once", "--data", small_history)
    spent = {"seconds": None, "milliseconds": None}
    assert {**again, **spent} == {**figures, **spent}


def test_every_proposal_is_decided_once(demo):
    _, figures = demo
    assert figures["proposals"] == figures["decisions"]
    assert figures["proposals"] == figures["refused"] + figures["held"] + figures["shadowed"]
    assert min(figures["refused"], figures["held"], figures["shadowed"], figures["certified"]) > 0


def test_both_kinds_are_decided_and_refused(demo):
    _, figures = demo
    refused = {row["kind"] for row in figures["by_kind"] if row["outcome"] == "refused"}
    assert refused == {"refund.issue", "price.set"}
    assert "no_captured_payment" in {row["code"] for row in figures["refusals"]}


def test_trial_balance_is_zero(demo):
    _, figures = demo
    assert figures["trial_balance"] == {"GBP": 0}


@pytest.mark.parametrize(
    "command",
    [("ledger", "check"), ("events", "verify"), ("audit", "verify"), ("catalog", "check"), ("events", "replay")],
)
def test_every_check_says_yes(demo, command):
    shop, _ = demo
    result = shop.run(*command)
    assert result.returncode == 0, result.stdout + result.stderr


def test_hledger_accepts_the_books(demo, tmp_path):
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed: `make oracles` installs it on Debian")
    shop, figures = demo
    journal = tmp_path / "books.journal"
    exported = shop.json("ledger", "export", "--format", "hledger", "-o", journal, here=True)
    assert exported["transactions"] == figures["transfers"]
    text = journal.read_text(encoding="utf-8")
    postings = [line for line in text.splitlines() if line.startswith("    ")]
    assert all(" = " in line for line in postings)
    assert subprocess.run([hledger, "-f", journal, "check"], capture_output=True, check=False).returncode == 0
    position = text.index(" = ", len(text) // 2) + 3
    digit = next(i for i in range(position, position + 20) if text[i].isdigit())
    broken = text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :]
    journal.write_text(broken, encoding="utf-8")
    assert subprocess.run([hledger, "-f", journal, "check"], capture_output=True, check=False).returncode != 0


def test_one_decision_is_told_whole(demo):
    shop, _ = demo
    listed = shop.json("action", "list", "--kind", "price.set", "--limit", "5", here=True)
    story = shop.json("action", "show", listed["items"][0]["id"], here=True)
    for key in ("facts", "forecast", "verdict", "findings", "decision", "outcome", "history"):
        assert story[key], key


def test_a_certificate_stands_alone(demo, tmp_path):
    shop, _ = demo
    shown = shop.json("action", "list", "--kind", "price.set", "--outcome", "shadowed", "--limit", "1", here=True)[
        "items"
    ][0]
    path = tmp_path / "bundle.json"
    assert shop.here("verify", "bundle", shown["id"], "-o", path).returncode == 0
    assert shop.json("verify", "check", path, here=True) == {"valid": True, "reason": ""}
    bundle = json.loads(path.read_text(encoding="utf-8"))
    assert bundle["certificates"]


def test_held_refunds_name_their_approver(demo):
    shop, _ = demo
    held = shop.json("action", "list", "--outcome", "held", "--limit", "500", here=True)["items"]
    for item in held:
        assert item["result"]["approver"] in {"manager", "founder"}
        assert item["risk"] in {"L2", "L3"}
