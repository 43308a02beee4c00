"""Changes an exported history in ten thousand ways and asks the one-file program, with a checkpoint kept outside.

Five kinds of attacker, each with the same number of tries:
  vandal    changes bytes, lines, files or fields and leaves everything else as it was
  tidy      changes a field and makes the digests of the bundle fit again
  dba       rewrites history and every digest and root inside the export, but holds no signing key
  holder    the same with the signing key: only the checkpoint kept outside is against him
  insider   lied before the checkpoint was signed: everything fits, but the evidence does not say what was decided
All must be found, and the history as it was must pass. The controls are this very program with one check left out; each
must miss some of the same changes.

Run: python bench/mutations.py [--mutations 10000] [--seed 20261126]. Prints JSON; exits 1 if a change was missed or a
control missed none.
"""

import argparse
import hashlib
import json
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
import types
from base64 import b64encode
from functools import cache, lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from exports import write_export
from results import machine, save

from steward.events.core.merkle import extend, leaf_hash, root_of_frontier
from steward.events.store.checkpoints import note_body
from steward.infra.signing import Signer
from steward.offline import PROGRAM
from steward.offline.history import read_event
from steward.verifier.core.check import Refused

DECISIONS = 8
CONTROL_SHARE = 4  # the controls, seven programs, see every fourth change of each attacker
BLOCK = 250
ATTACKERS = ("vandal", "tidy", "dba", "holder", "insider")
LINES = ("events.jsonl", "bundles.jsonl")
WEAKENED = {
    "the checkpoint outside is not compared": {
        'elif self.tree.roots.get(expected, root if expected == size else "") != published:': "elif False:"
    },
    "bundles are not compared with the log": {'or sha256(line) != decided.get("bundle_digest")': ""},
    "signatures are not checked": {"signed = is_signed(keys[key],": "signed = True or is_signed(keys[key],"},
    "decisions are not derived again": {"return self._derived(catalog, bundle)": 'return ""'},
    "certificates are not checked": {
        "check_obligation(read, tree)": "pass",
    },
    "lines may be written in any form": {
        "exact = canonical_bytes(value) == text": "exact = True",
        "exact = _joined(part, *_COLUMNS).encode() == line": "exact = True",
        "{})).encode() == line": "{})) != ''",
    },
    "outcomes are not compared with verdicts": {
        'if told.verdict == "DENY" and kind not in': "if False and kind not in",
        'if kind in EFFECTS and told.verdict != "ALLOW":': "if False:",
    },
}
CONTROL = next(iter(WEAKENED))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def program(changes=()):
    """The one file as a module, with checks left out."""
    source = PROGRAM.read_text(encoding="utf-8")
    for old, new in dict(changes).items():
        if source.count(old) != 1:
            raise ValueError(f"the control does not apply any more: {old}")
        source = source.replace(old, new)
    module = types.ModuleType(f"steward_verify_{len(sys.modules)}")
    sys.modules[module.__name__] = module
    exec(compile(source, "steward-verify.py", "exec"), module.__dict__)
    history = sys.modules["steward_parts.offline.history"].__dict__["read_checkpoint"]
    signed = dict(zip(history.__code__.co_freevars, history.__closure__ or (), strict=True))["is_signed"]
    signed.cell_contents = lru_cache(4_096)(signed.cell_contents)  # the same signature is not multiplied out again
    return module._


class Export:
    """An export in memory: files by name, and what it takes to make them fit each other again."""

    def __init__(self, files, signer):
        self.files, self.signer = dict(files), signer

    def lines(self, name):
        return self.files[name].split(b"\n")[:-1]

    def put(self, name, lines):
        self.files[name] = b"".join(line + b"\n" for line in lines)

    def bundle(self, place, change):
        """Change a bundle, make its digests fit, and tell the log."""
        lines = self.lines("bundles.jsonl")
        old = sha256(lines[place])
        bundle = json.loads(lines[place])
        change(bundle)
        lines[place] = redigested(bundle)
        self.put("bundles.jsonl", lines)
        return old, sha256(lines[place])

    def rehash(self, key):
        """Positions, leaves, root, manifest and checkpoint anew; `key` signs, or nobody."""
        events = [json.loads(line) for line in self.lines("events.jsonl")]
        lines = [canonical({**event, "position": number}) for number, event in enumerate(events, 1)]
        self.put("events.jsonl", lines)
        size, frontier = extend(0, [], map(leaf_of, lines))
        root = root_of_frontier(frontier).hex()
        decisions = sum(event.get("type") == "DecisionMade" for event in events)
        manifest = {"format": "steward-export/1", "size": size, "root": root, "decisions": decisions}
        checkpoint = json.loads(self.files["checkpoint.json"]) | {"size": size, "root": root}
        if key == "own":
            name, signature = self.signer.sign(note_body(size, root))
            checkpoint |= {"key": name, "signature": signature}
        elif key == "stranger":
            seed = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"stranger").digest())
            checkpoint["signature"] = b64encode(seed.sign(note_body(size, root))).decode()
        self.files["export.json"] = canonical(manifest) + b"\n"
        self.files["checkpoint.json"] = canonical(checkpoint) + b"\n"
        return checkpoint


def leaf_of(line):
    """The leaf of an event; of what is none any more, some leaf."""
    try:
        return read_event(line)[1]
    except Refused:
        return leaf_hash(line)


def redigested(bundle):
    for obligation, certificate in zip(bundle["obligations"], bundle["certificates"], strict=False):
        obligation.pop("digest", None)
        obligation["digest"] = certificate["obligation_digest"] = sha256(canonical(obligation))
    bundle.pop("digest", None)
    bundle["digest"] = sha256(canonical(bundle))
    return canonical(bundle)


def places(value, path=()):
    """Every path to a scalar inside a JSON value."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in places(item, (*path, key))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in places(item, (*path, index))]
    return [path]


def altered(pick, value):
    """One scalar somewhere inside changed, removed, or joined by another."""
    path = pick.choice(places(value))
    node = value
    for step in path[:-1]:
        node = node[step]
    old, shape = node[path[-1]], pick.random()
    if shape < 0.1 and isinstance(node, dict):
        del node[path[-1]]
    elif shape < 0.2 and isinstance(node, dict):
        node[f"{path[-1]}x"] = old
    elif isinstance(old, bool) or old is None:
        node[path[-1]] = not old
    elif isinstance(old, int):
        node[path[-1]] = old + pick.choice([-1, 1, 10, -old * 2 or 3])
    else:
        place = pick.randrange(len(old) + 1)
        node[path[-1]] = old[:place] + pick.choice("0123456789abcXYZ -/") + old[place + pick.randint(0, 1) :]
    return value


def vandal(pick, export):
    name = pick.choice(
        [*LINES, *LINES, "export.json", "checkpoint.json", *sorted(n for n in export.files if "catalogs" in n)]
    )
    text, shape = export.files[name], pick.random()
    place = pick.randrange(len(text))
    if shape < 0.25:
        export.files[name] = text[:place] + bytes([text[place] ^ pick.randrange(1, 256)]) + text[place + 1 :]
    elif shape < 0.35:
        export.files[name] = text[:place] + pick.choice([b" ", b"\n", b"0", b'"', b"}", b"\x00"]) + text[place:]
    elif shape < 0.45:
        export.files[name] = text[:place] + text[place + pick.randint(1, 40) :]
    elif shape < 0.55:
        export.files[name] = text[:place]
    elif shape < 0.6:
        export.files.pop(name)
    elif shape < 0.65:
        export.files[pick.choice(["notes.txt", "bundles.jsonl.bak", f"catalogs/{'0' * 64}.json"])] = text
    elif shape < 0.8 and name in LINES:
        lines = export.lines(name)
        one, other = pick.randrange(len(lines)), pick.randrange(len(lines))
        how = pick.randrange(4)
        if how == 0:
            lines[one], lines[other] = lines[other], lines[one]
        elif how == 1:
            del lines[one]
        elif how == 2:
            lines.insert(other, lines[one])
        else:
            pick.shuffle(lines)
        export.put(name, lines)
    elif name in LINES:
        lines = export.lines(name)
        place = pick.randrange(len(lines))
        document = altered(pick, json.loads(lines[place]))
        spaced = json.dumps(document if shape < 0.9 else json.loads(lines[place]), ensure_ascii=False).encode()
        lines[place] = canonical(document) if shape < 0.88 else spaced
        export.put(name, lines)
    else:
        export.files[name] = canonical(altered(pick, json.loads(text))) + b"\n"


def tidy(pick, export):
    """A bundle changed and its digests made to fit, or an event changed and renumbered; the tree is left alone."""
    if pick.random() < 0.8:
        place = pick.randrange(len(export.lines("bundles.jsonl")))

        def change(bundle):
            part = pick.choice(["facts", "action", "now", "findings", "witness", "certificates", "obligations"])
            if places(bundle[part]) and bundle[part] != {}:
                bundle |= altered(pick, {part: bundle[part]})

        export.bundle(place, change)
    else:
        lines = export.lines("events.jsonl")
        del lines[pick.randrange(len(lines))]
        export.put("events.jsonl", [canonical({**json.loads(line), "position": n}) for n, line in enumerate(lines, 1)])


def rewrite(pick, export):
    """History told anew: an event or a whole decision changed, taken out, put in, moved or replaced."""
    events, shape = export.lines("events.jsonl"), pick.random()
    if shape < 0.3:
        place = pick.randrange(len(events))
        events[place] = canonical(altered(pick, json.loads(events[place])) | {"position": 1})
    elif shape < 0.45:
        start = pick.randrange(DECISIONS) * 3
        del events[start : start + 3]
        bundles = export.lines("bundles.jsonl")
        del bundles[start // 3]
        export.put("bundles.jsonl", bundles)
    elif shape < 0.55:
        one = pick.randrange(len(events))
        events.insert(pick.randrange(len(events) + 1), events[one])
    elif shape < 0.65:
        events = events[: pick.randrange(1, len(events))]
    elif shape < 0.75:
        one, other = pick.sample(range(DECISIONS), 2)
        bundles = export.lines("bundles.jsonl")
        for place in (one, other):
            export_event = json.loads(events[3 * place + 1])
            export_event["data"]["bundle_digest"] = sha256(bundles[other if place == one else one])
            events[3 * place + 1] = canonical(export_event)
        bundles[one], bundles[other] = bundles[other], bundles[one]
        export.put("bundles.jsonl", bundles)
    elif shape < 0.85:
        pick.shuffle(events)
    else:
        place = pick.randrange(DECISIONS)

        def change(bundle):
            bundle |= altered(pick, {"facts": bundle["facts"]})

        old, new = export.bundle(place, change)
        events = [line.replace(old.encode(), new.encode()) for line in events]
    export.put("events.jsonl", events)


def lie(pick, export):
    """What a gate could have written that did not do its work. Facts and limits are as they were: those are trusted."""
    place = pick.randrange(DECISIONS)
    events = export.lines("events.jsonl")
    decided, ended = json.loads(events[3 * place + 1]), json.loads(events[3 * place + 2])
    bundle = json.loads(export.lines("bundles.jsonl")[place])
    shape = pick.random()
    if shape < 0.25 and bundle["verdict"] == "ALLOW":
        ended["type"] = "ActionShadowed"
        decided["data"]["verdict"] = pick.choice(["DENY", "ESCALATE"])
    elif shape < 0.5 and bundle["verdict"] != "ALLOW":
        ended["type"] = pick.choice(["ActionShadowed", "ActionExecuted"])

    def change(bundle):
        if bundle["verdict"] != "ALLOW" and shape >= 0.5:
            for finding in bundle["findings"]:
                if finding["status"] not in ("holds", "skipped"):
                    finding["status"] = pick.choice(["holds", "skipped"])
            bundle["verdict"] = decided["data"]["verdict"] = "ALLOW"
            ended["type"] = "ActionShadowed"
        elif shape >= 0.5 and bundle["certificates"]:
            forge(pick, bundle)
        elif shape >= 0.5:
            pick.choice(bundle["findings"])["status"] = pick.choice(["fails", "undefined", "missing", "unproved"])
            bundle["verdict"] = (
                "DENY" if any(f["status"] in ("fails", "undefined") for f in bundle["findings"]) else "ESCALATE"
            )

    old, new = export.bundle(place, change)
    decided["data"]["bundle_digest"] = new
    if old == new and shape >= 0.5:
        ended["type"] = "ActionSettled" if bundle["verdict"] != "ALLOW" else "ActionRejected"
        del events[3 * place + 1]
        events[3 * place + 1] = canonical(ended)
    else:
        events[3 * place + 1], events[3 * place + 2] = canonical(decided), canonical(ended)
    export.put("events.jsonl", events)


def forge(pick, bundle):
    """An obligation or a certificate that is not the true one."""
    place = pick.randrange(len(bundle["certificates"]))
    obligation, certificate = bundle["obligations"][place], bundle["certificates"][place]
    how = pick.randrange(4)
    if how == 0:
        obligation["hypotheses"].append(obligation["goal"])
    elif how == 1:
        obligation["goal"] = ["and"]
    elif how == 2:
        certificate["tree"] = ["F", []]
    else:
        term = pick.choice(certificate["tree"][1]) if certificate["tree"][0] == "F" and certificate["tree"][1] else None
        if term is None:
            certificate["tree"] = ["S", 0, []]
        else:
            term[-1] = str(int(term[-1].partition("/")[0]) + 1)


def attack(pick, attacker, export):
    """Change the export; returns the checkpoint an insider's auditor would keep, else nothing."""
    if attacker == "vandal":
        vandal(pick, export)
    elif attacker == "tidy":
        tidy(pick, export)
    elif attacker == "insider":
        lie(pick, export)
        return export.rehash("own")
    else:
        rewrite(pick, export)
        if pick.random() < 0.1:
            export.files["checkpoint.json"] = export.files["old checkpoint"]
        export.rehash("own" if attacker == "holder" else pick.choice(["stranger", "nobody"]))
    return None


def laid(folder, files):
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("catalogs", "theorems"):
        (folder / name).mkdir(parents=True)
    for name, text in files.items():
        if name != "old checkpoint":
            (folder / name).write_bytes(text)


@cache
def all_programs():
    return {"": program(), **{name: program(changes) for name, changes in WEAKENED.items()}}


def block(job):
    """Some mutations: how many each program found, by attacker, and what the true one missed."""
    seed, low, high, home = job
    home = Path(home)
    files = {str(p.relative_to(home / "export")): p.read_bytes() for p in (home / "export").rglob("*") if p.is_file()}
    files["old checkpoint"] = (home / "old.json").read_bytes()
    key, kept = home / "keys" / "log.ed25519.pub", home / "kept.jsonl"
    programs = all_programs()
    found = {name: dict.fromkeys(ATTACKERS, 0) for name in programs}
    tried, shown_to, missed = dict.fromkeys(ATTACKERS, 0), dict.fromkeys(ATTACKERS, 0), []
    with tempfile.TemporaryDirectory() as name:
        folder, own = Path(name) / "export", Path(name) / "kept.jsonl"
        for number in range(low, high):
            pick, attacker = random.Random(f"{seed}/{number}"), ATTACKERS[number % len(ATTACKERS)]
            export = Export(files, Signer(home / "keys" / "log.ed25519"))
            while export.files == files:
                checkpoint = attack(pick, attacker, export)
            laid(folder, export.files)
            if checkpoint is not None:
                own.write_bytes(canonical(checkpoint) + b"\n")
            tried[attacker] += 1
            shown = programs if (number // len(ATTACKERS)) % CONTROL_SHARE == 0 else {"": programs[""]}
            for label, module in shown.items():
                seen = seen_by(module, folder, kept if checkpoint is None else own, key)
                found[label][attacker] += seen
                shown_to[attacker] += label == CONTROL
                if not label and not seen:
                    missed.append(f"{attacker} {number}")
    return {"tried": tried, "shown": shown_to, "found": found, "missed": missed}


def seen_by(module, folder, checkpoint, key):
    try:
        return module.audit_export(folder, checkpoint, key)["invalid_count"] > 0
    except module.Unreadable:
        return True


def summed(parts):
    tried, shown = ({a: sum(part[key][a] for part in parts) for a in ATTACKERS} for key in ("tried", "shown"))
    found = {
        name: {attacker: sum(part["found"][name][attacker] for part in parts) for attacker in ATTACKERS}
        for name in parts[0]["found"]
    }
    return tried, shown, found, [line for part in parts for line in part["missed"]]


def main():
    parser = argparse.ArgumentParser(description="Mutated exports against the one-file program; prints JSON figures.")
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20_261_126)
    options = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        write_export(home / "export", DECISIONS - 4)
        shutil.copy(home / "export" / "checkpoint.json", home / "old.json")
        shutil.rmtree(home / "export")
        checkpoint, key = write_export(home / "export", DECISIONS)
        honest = not seen_by(program(), home / "export", checkpoint, key)
        jobs = [
            (options.seed, low, min(low + BLOCK, options.mutations), name) for low in range(0, options.mutations, BLOCK)
        ]
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            tried, shown, found, missed = summed(pool.map(block, jobs, chunksize=1))
    total = sum(tried.values())
    controls = {
        name: {
            "shown": sum(shown.values()),
            "missed": sum(shown.values()) - sum(found[name].values()),
            "missed_by_attacker": {a: shown[a] - found[name][a] for a in ATTACKERS},
        }
        for name in WEAKENED
    }
    document = {
        "name": "mutations",
        "seed": options.seed,
        "figures": {
            "mutations": total,
            "found": sum(found[""].values()),
            "missed": missed[:20],
            "tried": tried,
            "honest_export_passes": honest,
        },
        "controls": controls,
        "seconds": round(time.perf_counter() - start, 1),
        "machine": machine(),
    }
    save(document)
    print(json.dumps(document, indent=1))
    return 0 if honest and not missed and all(control["missed"] for control in controls.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
