"""What an owner asks of her books, from the command line, over real history."""

import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]


@pytest.fixture(scope="module")
def shop(demo):
    return demo[0]


def test_statements_hold_and_margins_add_up_to_them(shop):
    span = ("--since", "2011-05-01", "--until", "2011-07-01")
    profit = shop.json(
        "ledger", "report", "profit", *span, "--compare-since", "2011-05-01", "--compare-until", "2011-06-01", here=True
    )
    total = profit["totals"]["profit"]["GBP"]
    assert total > profit["compared"]["profit"]["GBP"] > 0
    for dimension in ("sku", "channel"):
        values = shop.json("ledger", "margin", "--by", dimension, *span, here=True)["values"]
        assert sum(value["contribution_minor"] for value in values) == total
    assert (
        len([v for v in shop.json("ledger", "margin", "--by", "sku", *span, here=True)["values"] if v["value"]]) > 1000
    )
    for name in ("trial-balance", "balance-sheet", "cash-flow"):
        assert shop.json("ledger", "report", name, "--until", "2011-07-01", here=True)["problems"] == []
    text = shop.run("ledger", "report", "profit", *span)
    assert text.returncode == 0
    assert "net sales" in text.stdout


def test_no_cash_is_no_runway(shop):
    """This history has sales and no bank."""
    assert shop.json("ledger", "runway", code=1, here=True) == {"currencies": {}}
    assert shop.json("ledger", "forecast", "--as-of", "2011-07-01", here=True) == {"currencies": {}}
    owed = shop.json("ledger", "ageing", "--of", "receivable", "--as-of", "2011-07-01", here=True)["open"]
    assert [row["account"] for row in owed] == ["assets:clearing:online_retail"]


def test_opening_balances_come_as_a_file_and_wrong_lines_are_named(make_shop, tmp_path):
    shop = make_shop()
    file = tmp_path / "balances.csv"
    file.write_text("account,currency,amount\nassets:bank,GBP,100.00\nassets:bnak,GBP,1.00\n", encoding="utf-8")
    refused = shop.json("ledger", "opening", file, "--on", "2026-01-01", code=1, here=True)
    assert [(line["line"], line["reason"]) for line in refused["rejected"]] == [
        (3, "the chart has no account 'assets:bnak'")
    ]
    assert not refused["posted"]
    file.write_text("account,currency,amount\nassets:bank,GBP,100.00\nliabilities:tax,GBP,-20\n", encoding="utf-8")
    assert shop.json("ledger", "opening", file, "--on", "2026-01-01", here=True)["posted"]
    sheet = shop.json("ledger", "report", "balance-sheet", here=True)
    assert sheet["totals"]["equity"] == {"GBP": 8000}
    shop.json("ledger", "rate", "USD", "GBP", "0.75", "--on", "2026-01-01", "--source", "ecb", here=True)
    assert shop.json("ledger", "revalue", "--until", "2026-02-01", "--currency", "GBP", here=True)["loss_minor"] == 0
    month = ("2026-01", "--from", "2026-01-01", "--until", "2026-02-01", "--currency", "GBP")
    assert shop.json("ledger", "checklist", *month, here=True)["ready"]
    assert shop.json("ledger", "close", *month, "--by", "owner", "--reason", "done", here=True)["closed"]
    late = shop.json("ledger", "opening", file, "--on", "2026-01-02", code=1, here=True)
    assert [refusal["code"] for refusal in late["refused"]] == ["period_closed"]
    assert shop.json("ledger", "check", here=True)["violations"] == []
