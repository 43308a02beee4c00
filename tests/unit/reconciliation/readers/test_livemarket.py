"""The simulated world's settlement files and bank statements read, and a payout's lines are what the bank received."""

from collections import Counter
from itertools import pairwise

import pytest
from click.testing import CliRunner

from livemarket.cli import main
from steward.reconciliation.readers import read


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers") / "shop"
    done = CliRunner().invoke(main, ["run", "--days", "8", "--seed", "5", "--errors", "0", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def readings(folder, provider):
    for path in sorted(folder.glob("*")):
        reading = read(provider, path.read_bytes(), path.name)
        assert reading.refused is None, f"{path.name}: {reading.refused}"
        yield path.name, reading


def test_every_paper_reads_and_no_line_is_of_an_unknown_type(papers):
    for provider, controlled in (("stripe", None), ("paypal", True), ("tiktok", None)):
        found = Counter()
        for _, reading in readings(papers / "settlements" / provider, provider):
            assert reading.control_total_ok is controlled
            assert (len(reading.statements), reading.rejected) == (1, ())
            found.update(line.type for line in reading.statements[0].lines)
        assert found["payment"] > 20
        assert not found["unknown"]


def test_the_lines_of_a_payout_are_what_the_bank_received(papers):
    received = {
        dict(entry.refs)["reference"]: entry.amount_minor
        for _, reading in readings(papers / "bank", "camt")
        for statement in reading.statements
        for entry in statement.lines
        if entry.counterparty in {"stripe", "paypal", "tiktok"}
    }
    compared = 0
    for provider in ("stripe", "paypal", "tiktok"):
        for name, reading in readings(papers / "settlements" / provider, provider):
            payout = name.partition("_")[2].removesuffix(".csv")
            lines = reading.statements[0].lines
            rest = sum(line.net_minor for line in lines if line.type != "payout")
            if payout in received:
                assert rest == received[payout]
                compared += 1
    assert compared > 5


def test_statements_follow_one_another(papers):
    told = [r.statements[0] for _, r in readings(papers / "bank", "camt")]
    assert all(before.closing_minor == after.opening_minor for before, after in pairwise(told))
