"""An auditor's path from the outside: export, keep the checkpoint and the key, judge with the one file."""

import json
import shutil
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.db, pytest.mark.slow]


@pytest.fixture(scope="module")
def kept(demo, tmp_path_factory):
    shop, _ = demo
    folder = tmp_path_factory.mktemp("auditor")
    written = shop.json("audit", "export", folder / "export")
    shutil.copy(folder / "export" / "checkpoint.json", folder / "kept.jsonl")
    shutil.copy(shop.home / "keys" / "log.ed25519.pub", folder / "kept.pub")
    return shop, folder, written


def outside(folder):
    return ("--checkpoint", folder / "kept.jsonl", "--key", folder / "kept.pub")


def test_the_demo_is_proved_again_offline(kept, demo):
    _, folder, written = kept
    command = [sys.executable, "-I", "-S", folder / "export" / "steward-verify.py", folder / "export", *outside(folder)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    report = json.loads(done.stdout)
    assert (report["size"], report["root"]) == (written["size"], written["root"])
    assert report["decisions"] == written["decisions"] == demo[1]["decisions"]
    assert report["verdicts"]["ALLOW"] == demo[1]["certified"]
    assert report["invalid"] == []


def test_the_commands_say_the_same(kept):
    shop, folder, written = kept
    report = shop.json("audit", "verify", "--export", folder / "export", *outside(folder))
    assert (report["decisions"], report["invalid"]) == (written["decisions"], [])
    assert {"size", "root", "decisions", "invalid", "consistent"} <= set(report)
    assert "taken on trust:" in shop.run("audit", "verify", "--export", folder / "export").stdout
    report = shop.json("audit", "verify", *outside(folder))
    assert (report["consistent"], report["invalid"]) == (True, [])


def test_a_history_that_was_cut_short_is_refused(kept, tmp_path):
    shop, folder, _ = kept
    shutil.copytree(folder / "export", tmp_path / "cut")
    lines = (tmp_path / "cut" / "events.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut" / "events.jsonl").write_bytes(b"".join(lines[:-3]))
    report = shop.json("audit", "verify", "--export", tmp_path / "cut", *outside(folder), code=1)
    assert not report["consistent"]
    assert shop.run("audit", "export", folder / "export").returncode == 2


def test_a_checkpoint_of_another_log_is_not_believed(kept, tmp_path):
    shop, folder, _ = kept
    forged = json.loads((folder / "kept.jsonl").read_text())
    forged["size"] += 1
    (tmp_path / "forged.jsonl").write_text(json.dumps(forged))
    assert shop.run("audit", "verify", "--checkpoint", tmp_path / "forged.jsonl").returncode == 2
