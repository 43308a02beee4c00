"""Exported histories of a made-up shop: real verdicts and certificates, the log's own leaves, a real signature.

Shared by offline.py and mutations.py. Decisions are drawn from one seed: refunds of one to three purchases with up to
four others in flight, and prices under intervals of demand; some are refused and some are left to a person.
"""

import hashlib
import json
import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from steward.catalog.loader import read_yaml_folder
from steward.contracts.event import Envelope, RecordedEvent
from steward.control.export import FORMAT, line_of
from steward.events.core.entry import leaf_of, prepare
from steward.events.core.merkle import extend, root_of_frontier
from steward.events.store.checkpoints import note_body
from steward.infra.signing import Signer
from steward.kernel.canonical import canonical_bytes, canonical_text
from steward.kernel.instants import format_instant
from steward.offline import PROGRAM
from steward.verifier import Verifier
from steward.verifier.provers.search import answer

SHOP = Path(__file__).with_name("shop")
LIMITS = {
    "refund_manager": {"amount_minor": 10_000, "currency": "GBP"},
    "refund_founder": {"amount_minor": 200_000, "currency": "GBP"},
    "refund_day": {"amount_minor": 300_000, "currency": "GBP"},
    "refund_count": 3,
    "margin_floor": "0.15",
    "price_move": "0.15",
}
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_WORKER = {}


class InProcess:
    """The provers without a process of their own: a benchmark's input needs no box around them."""

    def ask(self, obligation, seconds=None):
        return answer(obligation, 10.0 if seconds is None else seconds)

    def warm(self):
        pass

    def close(self):
        pass


def make_verifier():
    return Verifier.from_documents(read_yaml_folder(SHOP), LIMITS, InProcess())


def _gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


def _refund(pick, n):
    amounts = [pick.randint(150, 6_000) for _ in range(pick.choice([1, 1, 1, 2, 3]))]
    short = pick.random() < 0.04
    purchases = [
        {
            "sku": f"SKU-{pick.randint(1, 900)}",
            "order_id": str(pick.randint(500_000, 599_999)),
            "amount": _gbp(amount),
            "refunded": _gbp(pick.choice([0, 0, 0, 200])),
            "captured": _gbp(amount - 1 if short else amount + pick.choice([200, 500, 2_000])),
        }
        for amount in amounts
    ]
    in_flight = [_gbp(pick.randint(150, 9_000)) for _ in range(pick.choice([0, 0, 1, 1, 2, 3, 4]))]
    params = {
        "refund_id": f"R{n}",
        "customer_id": str(pick.randint(12_000, 18_999)),
        "amount": _gbp(sum(amounts)),
        "to": "original_payment" if pick.random() < 0.99 else "GB33BUKB20201555555555",
    }
    facts = {
        "purchases": purchases,
        "refunds.today": _gbp(pick.randint(0, 290_000)),
        "refunds.in_flight": {"any_subset_of": in_flight},
        "customer.refunds_in_window": pick.choice([0, 0, 0, 0, 1, 1, 2, 3]),
    }
    return "refund.issue", params, facts


def _price(pick, _n):
    cost = pick.randint(80, 4_000)
    current = cost * pick.randint(13, 24) // 10
    price = current * pick.randint(86, 116) // 100
    facts = {
        "price.current": _gbp(current),
        "price.effective": {"low": _gbp(price * 88 // 100), "high": _gbp(price)},
        "demand": {"low": pick.randint(1, 20), "high": pick.randint(21, 900)},
        "cost.unit": _gbp(cost),
    }
    return "price.set", {"sku": f"SKU-{pick.randint(1, 900)}", "price": _gbp(price)}, facts


def _begin():
    _WORKER["verifier"] = make_verifier()


def decisions(chunk):
    """The decisions of a range: (kind, params, principal, bundle text, verdict)."""
    seed, low, high = chunk
    made = []
    for n in range(low, high):
        pick = random.Random(f"{seed}/{n}")
        kind, params, facts = (_refund if pick.random() < 0.6 else _price)(pick, n)
        principal = {"id": "agent:returns" if kind == "refund.issue" else "agent:offers", "roles": ["agent"]}
        action = {"id": f"act_{n:032x}", "kind": kind, "params": params, "principal": principal}
        verdict = _WORKER["verifier"].certify(action, facts, format_instant(START + timedelta(seconds=40 * n)))
        made.append((action, canonical_text(verdict.bundle), verdict.verdict))
    return made


def _story(number, action, verdict, bundle_digest):
    """The events of one decision as the spine writes them."""
    common = {"action_id": action["id"], "risk": "L1", "amount_minor": None}
    proposed = {
        "action_id": action["id"],
        "kind": action["kind"],
        "params": action["params"],
        "proposer": action["principal"]["id"],
        "snapshot_id": f"snp_{number // 90:032x}",
    }
    decided = {
        "decision_id": f"dcn_{number:032x}",
        "action_id": action["id"],
        "chosen": "propose",
        "propensity": "1",
        "verdict": verdict,
        "decision_digest": bundle_digest,
        "bundle_digest": bundle_digest,
    }
    end = {
        "ALLOW": ("ActionShadowed", {**common, "verb": "payments.create_refund", "request_digest": bundle_digest}),
        "DENY": ("ActionRefused", {**common, "code": "refused", "reason": "a rule is broken", "determining": []}),
        "ESCALATE": (
            "ActionHeld",
            {**common, "approver": "manager", "reason": "for a person", "expires_at": "2026-12-31T00:00:00Z"},
        ),
    }[verdict]
    return [("ActionProposed", proposed), ("DecisionMade", decided), end]


def write_export(folder, count, seed=20_261_126, workers=2):
    """An export of `count` decisions in `folder`; (checkpoint file, key file) an auditor would have kept."""
    folder.mkdir(parents=True)
    chunks = [(seed, low, min(low + 250, count)) for low in range(0, count, 250)]
    size, frontier = 0, []
    with (
        multiprocessing.get_context("fork").Pool(workers, _begin) as pool,
        (folder / "events.jsonl").open("wb") as events,
        (folder / "bundles.jsonl").open("wb") as bundles,
    ):
        number = 0
        for made in pool.imap(decisions, chunks):
            for action, text, verdict in made:
                at = START + timedelta(seconds=40 * number)
                digest = hashlib.sha256(text.encode()).hexdigest()
                cause = None
                for event_type, data in _story(number, action, verdict, digest):
                    envelope = Envelope(
                        id=f"{event_type}:{action['id']}",
                        source="steward/control",
                        type=event_type,
                        subject=f"action/{action['id']}",
                        time=at,
                        correlationid=action["id"],
                        causationid=cause,
                        data=data,
                    )
                    cause = envelope.id
                    recorded = RecordedEvent(position=size + 1, recorded_at=at, envelope=envelope)
                    events.write(canonical_bytes(line_of(recorded)) + b"\n")
                    size, frontier = extend(size, frontier, [leaf_of(prepare(envelope), size + 1, at)])
                bundles.write(text.encode() + b"\n")
                number += 1
    root = root_of_frontier(frontier).hex()
    keep_rest(folder, size, root, count)
    return folder.parent / "kept.jsonl", folder.parent / "keys" / "log.ed25519.pub"


def keep_rest(folder, size, root, count):
    """Manifest, checkpoint, catalog and program; and, beside the folder, what the auditor keeps."""
    verifier = make_verifier()
    signer = Signer(folder.parent / "keys" / "log.ed25519")
    key, signature = signer.sign(note_body(size, root))
    checkpoint = {"size": size, "root": root, "key": key, "signature": signature}
    manifest = {"format": FORMAT, "size": size, "root": root, "decisions": count}
    (folder / "export.json").write_bytes(canonical_bytes(manifest) + b"\n")
    (folder / "checkpoint.json").write_bytes(canonical_bytes(checkpoint) + b"\n")
    for name in ("catalogs", "theorems"):
        (folder / name).mkdir(exist_ok=True)
    document = canonical_bytes(verifier.catalog_document) + b"\n"
    (folder / "catalogs" / f"{verifier.catalog_digest}.json").write_bytes(document)
    (folder / PROGRAM.name).write_bytes(PROGRAM.read_bytes())
    (folder.parent / "kept.jsonl").write_text(json.dumps(checkpoint) + "\n", encoding="utf-8")
