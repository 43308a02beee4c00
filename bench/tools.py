"""Every checked verb of every tool against its provider's description; how long a call takes to build and read.

Requests: the written example of each verb, the least and the most its schema allows, validated under the operation it
names. Changes: 10,000 changed arguments whose request the description refuses; how many our own schemas refused before
anything was sent. Answers: the examples the description publishes. Controls, by the same command: the schemas of
arguments taken away must let violations through, and a renamed field in each body must be found.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

from results import machine, save

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests/oracles/tools")]

from conformance import KEY, UNDESCRIBED, Harness

from steward.catalog.toolbook import ToolBook
from steward.gateway.core.calls import build_call
from steward.gateway.core.reading import Reply, read_reply

LEAST = 0.99
MOST_FOUND = 0.95  # a description may take any name where the field was renamed


def timed(harness):
    """Milliseconds to build a request and read an answer, by verb, after the first of each."""
    taken = []
    for tool, verb in harness.verbs():
        spec, found, args = (
            harness.book.tool(tool),
            harness.book.verb(tool, verb),
            harness.arguments_kept(tool, verb)[0],
        )
        settings = harness.settings(tool)
        case = harness.written(tool)[verb]
        answer = case.get("response")
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        reply = Reply("answer", case.get("status", 200), {}, body)
        for number in range(21):
            started = time.perf_counter()
            build_call(spec, found, args, KEY, settings, spec.base)
            read_reply(spec, found, reply)
            if number:
                taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return {"p50_ms": round(statistics.median(taken), 3), "p99_ms": round(taken[len(taken) * 99 // 100], 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=10_000)
    wanted = parser.parse_args().mutations
    place = Path(os.environ.get("STEWARD_TEST_DATA", "")) / "openapi"
    if not place.is_dir():
        print("STEWARD_TEST_DATA names no folder with openapi/", file=sys.stderr)
        return 2
    started, examples, book = time.monotonic(), ROOT / "tests/contracts/tools/examples", ToolBook()
    harness = Harness(book, place, examples)
    built = list(harness.built())
    changes = harness.mutations(wanted)
    answers = list(harness.read())
    loosened = Harness(book, place, examples, loosen=True).mutations(min(wanted, 1000))
    spoiled = [one for one in Harness(book, place, examples, spoil=True).built() if is_spoiled(book, one)]
    caught = sum(bool(wrong) for *_, wrong in spoiled)
    refused = changes["refused"] / changes["violating"]
    document = {
        "name": "tools",
        "machine": machine(),
        "seconds": round(time.monotonic() - started),
        "providers": len({tool for tool, *_ in built}),
        "verbs": len(built),
        "requests": sum(count for _, _, count, _ in built),
        "wrong": {f"{tool}.{verb}": wrong for tool, verb, _, wrong in built if wrong},
        "excused": {f"{tool}.{verb}": what for (tool, verb), what in UNDESCRIBED.items()},
        "changes": {**changes, "through": changes["through"][:20], "share_refused": f"{refused:.4f}"},
        "answers": {
            "published": len(answers),
            "read": sum(good for _, _, good, _ in answers),
            "not_read": [f"{tool}.{verb}" for tool, verb, good, _ in answers if not good],
        },
        "time": timed(harness),
        "control_loosened": {
            "violating": loosened["violating"],
            "share_refused": f"{loosened['refused'] / loosened['violating']:.4f}",
        },
        "control_renamed_field": {
            "verbs": len(spoiled),
            "found": caught,
            "not_found": [
                f"{tool}.{verb}" for tool, verb, _, wrong in spoiled if not wrong
            ],  # any name may stand there
        },
    }
    document["passed"] = (
        not document["wrong"]
        and changes["violating"] == wanted
        and refused >= LEAST
        and loosened["refused"] < LEAST * loosened["violating"]
        and caught >= MOST_FOUND * len(spoiled)
    )
    if wanted >= 10_000:
        save(document)
    print(json.dumps(document, indent=1))
    return 0 if document["passed"] else 1


def is_spoiled(book, one):
    body = book.verb(one[0], one[1]).body
    return isinstance(body, dict) and bool(body)


if __name__ == "__main__":
    sys.exit(main())
