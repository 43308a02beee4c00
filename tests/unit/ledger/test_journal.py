import csv
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.cli.books import export
from steward.contracts.ledger import JournalEntry, JournalPosting
from steward.ledger.core.journal import FORMS, beancount_account, journal_lines

ACCOUNTS = [
    ("assets:bank", "GBP"), ("assets:clearing:pay-pal_2", "JPY"), ("fx:GBP", "GBP"), ("fx:JPY", "JPY"),
    ("contra:returns", "BHD"), ("income:sales", "BHD"),
]  # fmt: skip


def entry(day, number, *postings):
    return JournalEntry(
        on=date(2026, 1, day),
        transfer_id=f"tfr_{number:032x}",
        kind="capture",
        source='x;y "z" | \\',
        postings=tuple(
            JournalPosting(account=a, currency=c, amount_minor=n, balance_after=b) for a, c, n, b in postings
        ),
    )


ENTRIES = [
    entry(5, 1, ("assets:bank", "GBP", 150, 150), ("fx:GBP", "GBP", -150, -150),
          ("assets:clearing:pay-pal_2", "JPY", -300, -300), ("fx:JPY", "JPY", 300, 300)),
    entry(3, 2, ("contra:returns", "BHD", 1234, 1234), ("income:sales", "BHD", -1234, -1234)),
    entry(5, 3, ("assets:bank", "GBP", 10**17 + 1, 10**17 + 151), ("fx:GBP", "GBP", -(10**17) - 1, -(10**17) - 151)),
    entry(9, 4, ("assets:bank", "GBP", -50, 10**17 + 101), ("fx:GBP", "GBP", 50, -(10**17) - 101)),
]  # fmt: skip


def text(form):
    return "\n".join(journal_lines(form, ACCOUNTS, ENTRIES)) + "\n"


def program(name):
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed: `make oracles` and `make dev` install what there is")
    return found


def is_accepted(form, path):
    command = {
        "hledger": lambda: [program("hledger"), "-f", path, "check", "--strict"],
        "ledger": lambda: [program("ledger"), "--strict", "--pedantic", "-f", path, "balance"],
        "beancount": lambda: [program("bean-check"), "--no-cache", path],
    }[form]()
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def test_a_journal_asserts_every_posting_and_keeps_posted_order():
    lines = list(journal_lines("hledger", ACCOUNTS, ENTRIES))
    assert "    assets:bank  1.50 GBP = 1.50 GBP" in lines
    assert "    assets:clearing:pay-pal_2  -300 JPY = -300 JPY" in lines
    assert "    contra:returns  1.234 BHD = 1.234 BHD" in lines
    assert [line[:10] for line in lines if line.startswith("2026")] == ["2026-01-05"] * 3 + ["2026-01-09"]
    assert any("effective:2026-01-03" in line for line in lines)
    assert not any("x;y" in line for line in lines)


@pytest.mark.parametrize("form", ["hledger", "ledger", "beancount"])
def test_the_program_itself_accepts_the_books_and_refuses_a_changed_digit(form, tmp_path):
    path = tmp_path / "books"
    path.write_text(text(form), encoding="utf-8")
    assert is_accepted(form, path)
    # The last balance that is asserted, and an amount in the middle: one digit each.
    for old, new in [("1000000000000001.01", "1000000000000001.02"), ("1.234", "1.235")]:
        at = text(form).rindex(old)
        path.write_text(text(form)[:at] + new + text(form)[at + len(old) :], encoding="utf-8")
        assert not is_accepted(form, path)


@pytest.mark.parametrize("form", ["xero", "quickbooks"])
def test_a_spreadsheet_balances_and_holds_no_formula(form):
    odd = ENTRIES[1].model_copy(update={"source": "=cmd()", "party": "@evil"})
    header, *rows = csv.reader(journal_lines(form, ACCOUNTS, [*ENTRIES, odd]))
    assert len(rows) == 12
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    if form == "xero":
        assert cells[0]["*Date"] == "05/01/2026"
        amounts = [row["*Amount"] for row in cells]
        assert amounts[:2] == ["1.50", "-1.50"]
    else:
        assert cells[0]["*JournalDate"] == "01/05/2026"
        assert (cells[0]["*Debits"], cells[0]["*Credits"]) == ("1.50", "")
        assert cells[-1]["Name"] == "'@evil"
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row)


def test_the_command_offers_every_form():
    option = next(parameter for parameter in export.params if parameter.name == "form")
    assert set(option.type.choices) == set(FORMS)


CODE = st.tuples(
    st.sampled_from(["assets", "liabilities", "equity", "income", "contra", "expenses", "fx"]),
    st.lists(st.text("aAzZ09._-", min_size=1, max_size=4), min_size=1, max_size=3),
).map(lambda found: ":".join([found[0], *found[1]]))


@given(CODE, CODE)
def test_each_code_has_a_beancount_account_of_its_own(one, other):
    import re

    assert (beancount_account(one) == beancount_account(other)) == (one == other)
    assert re.fullmatch(r"[A-Z][a-z]+(:[A-Z0-9][A-Za-z0-9-]*)+", beancount_account(one))
