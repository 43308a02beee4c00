"""A shop's history exported and judged by the one file, with a checkpoint kept outside."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from steward.agents.core.refunds import propose_refund
from steward.control import keep_catalog
from steward.kernel.errors import BadInput
from steward.kernel.instants import WEEK
from steward.offline import PROGRAM, read_outside

pytestmark = pytest.mark.db


@pytest.fixture
def exported(shop, make, tmp_path):
    """An export of a few refunds, of which one is denied and one goes to a person; and what an auditor keeps."""
    shop.take_in(
        make.order("1", lines=[make.line(total_minor=3000)]),
        make.refund("C1", lines=[make.line(total_minor=1000)]),
        make.order("2", "17851", lines=[make.line("CUP", total_minor=30_000)]),
        make.refund("C2", "17851", lines=[make.line("CUP", total_minor=20_000)]),
        make.refund("C3", "17852", lines=[make.line("PEN", total_minor=500)]),
    )
    for row in shop.app.state.refunds_between(make.start - WEEK, make.start + 52 * WEEK):
        shop.app.control.act(propose_refund(row, row["occurred_at"]))
    folder = tmp_path / "export"
    written = shop.app.exporter.write(folder)
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes((folder / "checkpoint.json").read_bytes())
    key = tmp_path / "home" / "keys" / "log.ed25519.pub"
    return shop, folder, kept, key, written


def verified(folder, kept, key):
    command = [sys.executable, "-I", "-S", str(PROGRAM), str(folder), "--checkpoint", str(kept), "--key", str(key)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_an_honest_history_holds(exported):
    shop, folder, kept, key, written = exported
    code, report = verified(folder, kept, key)
    assert (code, report["invalid"]) == (0, [])
    assert (report["size"], report["root"]) == (written["size"], written["root"])
    assert report["size"] == shop.app.events.head()["size"]
    assert report["decisions"] == written["decisions"] == 3
    assert sum(report["verdicts"].values()) == 3
    assert set(report["verdicts"]) != {"ALLOW"}
    assert report["consistent"]
    assert {entry["name"] for entry in report["limits"]} >= {"limit.refund_day"}
    assert any("facts" in line for line in report["trusted"])


def test_an_older_checkpoint_still_holds_and_says_how_far_it_reaches(exported, make, tmp_path):
    shop, folder, kept, key, written = exported
    shop.take_in(make.order("9", "17859", at=make.start + timedelta(days=3)))
    shop.app.exporter.write(tmp_path / "later")
    code, report = verified(tmp_path / "later", kept, key)
    assert (code, report["covered"]) == (0, written["size"])
    assert report["size"] == written["size"] + 1
    code, report = verified(folder, tmp_path / "later" / "checkpoint.json", key)
    assert code == 1
    assert report["invalid"][0]["where"] == "checkpoint"


@pytest.mark.parametrize("name", ["events.jsonl", "bundles.jsonl", "export.json", "checkpoint.json"])
def test_a_changed_digit_is_found(exported, name):
    _, folder, kept, key, _ = exported
    text = (folder / name).read_bytes()
    place = next(i for i in range(len(text) // 2, len(text)) if text[i : i + 1].isdigit())
    (folder / name).write_bytes(text[:place] + (b"7" if text[place : place + 1] != b"7" else b"3") + text[place + 1 :])
    code, report = verified(folder, kept, key)
    assert code == 1
    assert report["invalid"]


@pytest.mark.parametrize("name", ["events.jsonl", "bundles.jsonl"])
def test_a_line_taken_out_is_found(exported, name):
    _, folder, kept, key, _ = exported
    lines = (folder / name).read_bytes().splitlines(keepends=True)
    (folder / name).write_bytes(b"".join(lines[:-1]))
    assert verified(folder, kept, key)[0] == 1


def test_a_key_that_was_not_kept_is_not_believed(exported, tmp_path):
    from steward.infra.signing import Signer

    _, folder, kept, _, _ = exported
    Signer(tmp_path / "other").sign(b"anything")
    code, said = verified(folder, kept, tmp_path / "other.pub")
    assert (code, "was not given" in said) == (2, True)
    with pytest.raises(BadInput):
        read_outside(kept, tmp_path / "other.pub")


def test_evidence_that_is_gone_is_missed(exported, tmp_path, superuser):
    shop, _, kept, key, _ = exported
    superuser.execute("DELETE FROM proof_bundle WHERE verdict <> 'ALLOW'")
    shop.app.exporter.write(tmp_path / "again")
    code, report = verified(tmp_path / "again", kept, key)
    assert code == 1
    assert {entry["where"] for entry in report["invalid"]} == {"bundle"}


def test_an_export_goes_into_a_new_folder(exported):
    shop, folder, *_ = exported
    with pytest.raises(BadInput):
        shop.app.exporter.write(folder)


def test_a_catalog_is_kept_once_under_its_digest(exported, tmp_path):
    shop, folder, *_ = exported
    digest = shop.app.verifier.catalog_digest
    assert [path.name for path in (folder / "catalogs").iterdir()] == [f"{digest}.json"]
    keep_catalog(tmp_path / "kept", shop.app.verifier)
    path = tmp_path / "kept" / f"{digest}.json"
    before = path.stat().st_mtime_ns
    keep_catalog(tmp_path / "kept", shop.app.verifier)
    assert path.stat().st_mtime_ns == before
    path.write_text("{}")
    keep_catalog(tmp_path / "kept", shop.app.verifier)
    assert path.read_bytes() == (folder / "catalogs" / path.name).read_bytes()
