"""Published checkpoints can be checked without this program, and a line that was changed is seen by it."""

import hashlib
import json
import random
import stat
import subprocess
import sys
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from steward.contracts.payloads import VERSIONS
from steward.events import Decoder, EventLog, Request
from steward.events.core import merkle
from steward.infra.clock import FrozenClock
from steward.infra.signing import Signer
from steward.kernel.errors import BadInput, Infrastructure

pytestmark = pytest.mark.db

AT = datetime(2026, 1, 1, tzinfo=UTC)
DECODER = Decoder(VERSIONS)
EVENTS = 1300


def stock_out(names):
    documents = [
        {"id": f"e{name}", "source": "s", "type": "StockOut", "subject": "sku/1", "time": "2026-01-01T00:00:00Z"}
        | {"data": {"sku": str(name)}}
        for name in names
    ]
    return Request([event for _, event in DECODER.batch(json.dumps(documents).encode()).events])


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def log(database, home):
    return EventLog(database, FrozenClock(AT), home / "checkpoints.jsonl")


@pytest.fixture
def published(log, home):
    """Three checkpoints over nine events."""
    for start in (0, 3, 6):
        log.write([stock_out(range(start, start + 3))])
        log.publish_checkpoint()
    return home / "checkpoints.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def public_keys(home):
    """What somebody reads who has only the two published files."""
    return dict(line.split() for line in (home / "keys" / "log.ed25519.pub").read_text().splitlines())


def is_signed_by(line, keys):
    note = f"steward/log\n{line['size']}\n{b64encode(bytes.fromhex(line['root'])).decode()}\n".encode()
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(keys[line["key"]])).verify(b64decode(line["signature"]), note)
    except InvalidSignature:
        return False
    return True


def test_published_lines_verify_without_this_program(published, home, log):
    keys = public_keys(home)
    found = lines(published)
    assert [line["size"] for line in found] == [3, 6, 9]
    assert found[-1]["root"] == log.head()["root"]
    assert all(line["time"] == "2026-01-01T00:00:00Z" for line in found)
    assert all(is_signed_by(line, keys) for line in found)
    (key_id, public) = next(iter(keys.items()))
    assert key_id == hashlib.sha256(b64decode(public)).hexdigest()[:16]
    for change in ({"size": 4}, {"root": "0" * 64}, {"signature": found[1]["signature"]}):
        assert not is_signed_by({**found[0], **change}, keys)
    assert log.verify().is_intact


OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
OTHER_PUBLIC = OTHER.public_key().public_bytes_raw()
OTHER_ID = hashlib.sha256(OTHER_PUBLIC).hexdigest()[:16]


def forged(line):
    """A line with a good signature, by a key that is not ours."""
    note = f"steward/log\n{line['size']}\n{b64encode(bytes.fromhex(line['root'])).decode()}\n".encode()
    return {**line, "key": OTHER_ID, "signature": b64encode(OTHER.sign(note)).decode()}


@pytest.mark.parametrize(
    "change",
    [
        lambda line: {**line, "size": line["size"] - 1},
        lambda line: {**line, "size": line["size"] + 100},
        lambda line: {**line, "size": -1},
        lambda line: {**line, "root": "0" * 64},
        lambda line: {**line, "root": "zz"},
        lambda line: {**line, "root": line["root"][:-2]},
        lambda line: {**line, "signature": b64encode(bytes(64)).decode()},
        lambda line: {**line, "signature": line["signature"][:-4]},
        lambda line: {**line, "signature": "\u00fc"},
        lambda line: {**line, "signature": None},
        lambda line: {**line, "key": "0" * 16},
        lambda line: {**line, "key": OTHER_ID},
        lambda line: {key: value for key, value in line.items() if key != "signature"},
        lambda line: {key: value for key, value in line.items() if key != "key"},
        lambda line: {key: value for key, value in line.items() if key not in {"key", "signature"}},
        lambda line: {key: value for key, value in line.items() if key != "root"},
        lambda line: {key: value for key, value in line.items() if key != "size"},
        lambda line: [line],
        forged,
    ],
)
def test_a_line_that_was_changed_is_a_violation(published, log, change):
    texts = published.read_text(encoding="utf-8").splitlines()
    texts[1] = json.dumps(change(json.loads(texts[1])))
    published.write_text("\n".join([*texts, ""]), encoding="utf-8")
    assert ("checkpoint", "line 2") in {(each["where"], each["row"]) for each in log.verify().violations}


def test_lines_that_changed_places_are_not_a_violation_and_swapped_signatures_are(published, log):
    first, second, third = lines(published)
    published.write_text("\n".join(json.dumps(line) for line in (third, first, second)), encoding="utf-8")
    assert log.verify().is_intact
    swapped = [{**first, "signature": second["signature"]}, {**second, "signature": first["signature"]}, third]
    published.write_text("\n".join(json.dumps(line) for line in swapped), encoding="utf-8")
    assert [each["row"] for each in log.verify().violations] == ["line 1", "line 2"]


def test_a_key_added_to_the_public_file_under_a_name_of_ours_signs_nothing(published, home, log):
    texts = lines(published)
    published.write_text("\n".join(json.dumps(line) for line in [forged(texts[0]), *texts[1:]]), encoding="utf-8")
    (ours,) = public_keys(home)
    with (home / "keys" / "log.ed25519.pub").open("a") as file:
        file.write(f"{ours} {b64encode(OTHER_PUBLIC).decode()}\nrubbish\n{OTHER_ID} ????\n")
    assert [each["row"] for each in log.verify().violations] == ["line 1"]


def test_what_a_retired_key_signed_can_still_be_checked(published, home, log):
    (home / "keys" / "log.ed25519").unlink()
    log.write([stock_out(range(9, 12))])
    log.publish_checkpoint()
    found = lines(published)
    assert len({line["key"] for line in found}) == 2
    keys = public_keys(home)
    assert len(keys) == 2
    assert all(is_signed_by(line, keys) for line in found)
    assert log.verify().is_intact


def test_losing_the_public_keys_makes_every_line_a_violation(published, home, log):
    (home / "keys" / "log.ed25519.pub").unlink()
    assert [each["row"] for each in log.verify().violations] == ["line 1", "line 2", "line 3"]


# The key


def test_only_its_owner_may_read_the_key(published, home):
    key = home / "keys" / "log.ed25519"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert len(key.read_bytes()) == 32
    assert sorted(path.name for path in key.parent.iterdir()) == ["log.ed25519", "log.ed25519.pub"]


MAKE = """
import sys
from pathlib import Path
from steward.infra.signing import secret_file
print("ready", flush=True)
sys.stdin.readline()
print(secret_file(Path(sys.argv[1])).hex())
"""


def test_many_processes_that_make_the_key_at_once_agree(tmp_path):
    path = tmp_path / "keys" / "secret"
    command = [sys.executable, "-c", MAKE, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(6)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 6
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    secrets = {process.communicate(timeout=30)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 6
    assert secrets == {path.read_bytes().hex()}
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_the_wrong_size_is_not_used(tmp_path, size):
    (tmp_path / "secret").write_bytes(bytes(size))
    with pytest.raises(Infrastructure, match=f"holds {size} bytes"):
        Signer(tmp_path / "secret").sign(b"")


# Proofs over a log that is longer than a stored chunk


EDGES = {1, 2, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1280, EVENTS - 1, EVENTS}
SOME = sorted({*EDGES, *random.Random(1).sample(range(1, EVENTS), 10)})


def raw(proof):
    return [bytes.fromhex(part) for part in proof]


def test_proofs_over_a_thousand_events_equal_the_slow_definition(log, database):
    for start in range(0, EVENTS, 130):
        log.write([stock_out(range(start, start + 130))])
    with database.transaction() as connection:
        rows = connection.execute("SELECT leaf_hash FROM event ORDER BY position").fetchall()
    leaves = [bytes(row["leaf_hash"]) for row in rows]
    root = bytes.fromhex(log.head()["root"])
    assert root == merkle.root_of_leaves(leaves)
    for position in SOME:
        size = min(EVENTS, position + 300)
        proof = raw(log.inclusion(position))
        assert proof == merkle.inclusion_proof(leaves, position - 1)
        assert merkle.verify_inclusion(leaves[position - 1], position - 1, EVENTS, proof, root)
        assert raw(log.inclusion(position, size)) == merkle.inclusion_proof(leaves[:size], position - 1)
        proof = raw(log.consistency(position))
        assert proof == merkle.consistency_proof(leaves, position)
        assert merkle.verify_consistency(position, EVENTS, merkle.root_of_leaves(leaves[:position]), root, proof)
        assert raw(log.consistency(position, size)) == merkle.consistency_proof(leaves[:size], position)
    with pytest.raises(BadInput, match="1300 events"):
        log.inclusion(1, EVENTS + 1)
    report = log.verify()
    assert (report.count, report.dense, report.violations) == (EVENTS, True, [])
