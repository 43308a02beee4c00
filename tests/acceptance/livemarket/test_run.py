"""`livemarket run` from the outside: bytes, books, goods, people, papers; and steward takes every event in."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from livemarket.cli import main

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "schemas"
spec = importlib.util.spec_from_file_location("livemarket_audit", ROOT / "tests/oracles/livemarket/audit.py")
audit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(audit)

ARGUMENTS = ["--days", "16", "--shock", "strike@3", "--opponent", "not_received_ring", "--errors", "8000"]


def started(out, seed, *more):
    command = [
        sys.executable,
        "-m",
        "livemarket",
        "run",
        "--seed",
        str(seed),
        "--out",
        str(out),
        *ARGUMENTS,
        *more,
        "--json",
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-2000:]
    return json.loads(out)


def fingerprint(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("livemarket")
    going = [started(folder / name, seed) for name, seed in (("first", 7), ("again", 7))]
    return folder, [finished(process) for process in going]


@pytest.fixture
def first(runs):
    return runs[0] / "first"


def test_same_seed_same_bytes_in_another_process(runs):
    folder, summaries = runs
    assert fingerprint(folder / "first") == fingerprint(folder / "again")
    assert summaries[0] == summaries[1]


def test_the_summary_counts_what_the_files_hold(runs, first):
    summary = runs[1][0]
    assert summary["simulated"] is True
    counted = {}
    for event in audit.lines(first / "events.jsonl"):
        counted[event["type"]] = counted.get(event["type"], 0) + 1
        assert summary["first_date"] <= event["time"][:10] < "2026-01-21"
        assert event["source"] == "livemarket/simulated"
    assert summary["orders"] == counted["OrderPlaced"]
    assert summary["refunds"] == counted["RefundProcessed"]
    assert summary["disputes"] == counted.get("DisputeOpened", 0)
    assert summary["shows"] == counted["LiveShowEnded"]
    assert summary["events"] == sum(counted.values())
    assert sorted(summary["files"]) == sorted(str(p.relative_to(first)) for p in first.rglob("*") if p.is_file())


def test_goods_money_and_people_add_up_every_day(first):
    assert audit.audit(first) == []


@pytest.mark.parametrize(
    ("find", "changed"),
    [
        ('"type":"RefundProcessed"', None),
        ('"type":"GoodsShipped"', None),
        ('"type":"ViewerLeft"', None),
        ('"type":"PayoutLanded"', None),
        ('"type":"FeeCharged"', ('"amount_minor":', '"amount_minor":1')),
    ],
)
def test_the_audit_sees_one_wrong_line(first, tmp_path, find, changed):
    """The control: one event left out, or one digit more, and the auditor must object."""
    copy = tmp_path / "copy"
    shutil.copytree(first, copy)
    lines = (copy / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if find in line and '"viewers":0' not in line)
    lines[place] = lines[place].replace(*changed) if changed else ""
    (copy / "events.jsonl").write_text("".join(lines), encoding="utf-8")
    assert audit.audit(copy)


def test_every_error_in_the_papers_is_in_the_truth(first):
    """What a settlement's lines make differs from its payout only by listed faults; without the list it would not."""
    faults = list(audit.lines(first / "truth" / "faults.jsonl"))
    own = [fault for fault in faults if fault["file"].startswith("settlements/")]
    assert {fault["fault"] for fault in own} <= {"missing", "duplicate", "amount", "fee"}
    spoilt = {fault["file"] for fault in own}
    assert spoilt
    days = audit.by_day(first)
    (first / "truth" / "faults.jsonl").rename(first / "truth" / "kept")
    (first / "truth" / "faults.jsonl").write_text("", encoding="utf-8")
    try:
        objections = audit.settlements(first, days)
    finally:
        (first / "truth" / "kept").replace(first / "truth" / "faults.jsonl")
    assert {line.split(":")[0] for line in objections} <= {Path(file).name for file in spoilt}
    assert objections


def test_an_order_lives_in_the_order_of_time(first):
    """Placed, paid, sent, scanned, delivered, asked back, received, refunded: never the other way round."""
    stages = ["OrderPlaced", "PaymentCaptured", "GoodsShipped", "ShipmentScanned", "OrderDelivered", "ReturnRequested"]
    stages += ["ReturnReceived", "RefundApproved", "RefundProcessed"]
    lives = {}
    for event in audit.lines(first / "events.jsonl"):
        if event["type"] in stages:
            lives.setdefault(event["data"]["order_id"], []).append((event["time"], stages.index(event["type"])))
    wrong = {order: life for order, life in lives.items() if [s for _, s in life] != sorted(s for _, s in life)}
    assert wrong == {}
    assert sum(len(life) >= 5 for life in lives.values()) > 200


def test_events_fit_the_published_schemas(first):
    """Every 40th event and one of each type, against the JSON Schemas that stand in the repository."""
    validators, seen = {}, set()
    for n, event in enumerate(audit.lines(first / "events.jsonl")):
        kind, version = event["type"], event["schemaversion"]
        if n % 40 and kind in seen:
            continue
        seen.add(kind)
        if kind not in validators:
            schema = json.loads((SCHEMAS / f"event.{kind}.v{version}.json").read_text(encoding="utf-8"))
            validators[kind] = jsonschema.Draft202012Validator(schema)
        assert list(validators[kind].iter_errors(event["data"])) == [], event
    assert len(seen) > 35


@pytest.mark.db
@pytest.mark.slow
def test_steward_takes_every_event(first, tmp_path_factory):
    """The command line of steward, in a process and a data folder of its own; nothing of it is imported here."""
    home = tmp_path_factory.mktemp("home")
    env = {k: v for k, v in os.environ.items() if not k.startswith("STEWARD_")} | {"STEWARD_HOME": str(home / "data")}
    for folder in (home, *home.parents):  # the embedded server runs as another user and must get there
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    seen, kept = set(), []
    for n, line in enumerate((first / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)):
        kind = json.loads(line)["type"]
        if n % 6 == 0 or kind not in seen:
            kept.append(line)
        seen.add(kind)
    command = [sys.executable, "-m", "steward"]
    try:
        done = subprocess.run(
            [*command, "events", "ingest", "-", "--json"],
            input="".join(kept), env=env, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert json.loads(done.stdout) == {"accepted": len(kept), "duplicates": 0, "rejected": []}
        assert done.returncode == 0
    finally:
        subprocess.run([*command, "db", "stop"], env=env, capture_output=True, timeout=100, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--days", "3", "--seed", "1", "--shop", "huge"],
        ["--days", "3", "--seed", "1", "--shock", "strike"],
        ["--days", "3", "--seed", "1", "--opponent", "nobody"],
        ["--days", "0", "--seed", "1"],
    ],
)
def test_bad_usage_is_exit_two(arguments, tmp_path):
    done = CliRunner().invoke(main, ["run", *arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "Error" in done.output


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("kept", encoding="utf-8")
    done = CliRunner().invoke(main, ["run", "--days", "3", "--seed", "1", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
