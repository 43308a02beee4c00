"""A million mutated requests against the decoder, and twenty thousand generated ones against the HTTP interface.

Decoder: batches of three good events with bytes flipped, cut, doubled and spliced. Whatever comes in, the answer is a
refusal of the whole or a verdict on each event; what is accepted is judged again by Pydantic and by a canonical JSON of
another make; an event whose bytes were left alone in a request that is still JSON is accepted. The control is a decoder
that gives up on a batch at its first bad event, as a plain decoder does: it must lose good events.

HTTP: schemathesis reads the served OpenAPI document and looks for answers of 500 and more and for answers that do
not conform to it; afterwards the log verifies and no good event that was answered with a position is missing. The
control is the same server with one planted fault.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
from ingest import order
from results import RESULTS, machine, save

from steward.contracts.event import Envelope
from steward.contracts.payloads import VERSIONS
from steward.events.core import decode
from steward.events.core.decode import Decoded, Decoder
from steward.events.core.entry import body_digest
from steward.kernel.canonical import canonical_bytes, parse_json
from steward.kernel.errors import BadInput

ROOT = Path(__file__).parents[1]
_TOKENS = [
    *(bytes([byte]) for byte in b'"{}[],:\\ \xff\x00'),
    *(b"\\u0000", b"\\ud800", b"1e9", b"-0", b"1.5", b"null", b"true", b"9" * 40, b"[" * 40, b"\xf0\x9f\x98\x80"),
    *(b'"id":', b'"data":', b'"time":', b'"currency":"GBP"'),
]


def mutated(rng, body):
    made = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(made))
        match rng.randrange(6):
            case 0:
                made[place] ^= 1 << rng.randrange(8)
            case 1:
                del made[place : place + rng.randint(1, 12)]
            case 2:
                made[place:place] = rng.choice(_TOKENS)
            case 3:
                end = place + rng.randint(1, 40)
                made[end:end] = made[place:end]
            case 4:
                made[place : place + rng.randint(1, 6)] = rng.choice(_TOKENS)
            case _:
                other = rng.randrange(len(made))
                made[place], made[other] = made[other], made[place]
        if not made:
            return b"["
    return bytes(made)


class GivesUp(Decoder):
    """The control: one bad event spoils the batch."""

    def batch(self, body):
        try:
            found = decode._MANY.decode(body)  # noqa: SLF001 - the control is the same decoder, weakened
        except msgspec.ValidationError:
            return Decoded([], [])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise BadInput(str(error)) from error
        decoded = Decoded([], [])
        for index, event in enumerate(found):
            self._keep(index, event, decoded)
        return decoded


def problems_of(decoder, body, originals):
    """What is wrong with the decoder's answer; empty if nothing."""
    try:
        found = decoder.batch(body)
    except BadInput:
        return ["a good event was lost: the whole was refused"] if untouched(body, originals) else []
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        return [f"raised {type(error).__name__}: {error}"]
    indexes = [index for index, _ in found.events] + [item.index for item in found.rejected]
    wrong = [] if len(set(indexes)) == len(indexes) else ["an index twice"]
    items = elements(body)
    if items is not None:
        if sorted(indexes) != list(range(len(items))):
            wrong.append(f"{len(items)} events, verdicts on {sorted(indexes)}")
        accepted = {index for index, _ in found.events}
        wrong += [f"good event {i} refused" for i in untouched(body, originals) if i not in accepted]
        wrong += [line for index, event in found.events for line in judged_again(items[index], event)]
    return wrong


def elements(body):
    """The elements by Python's own parser, or None where it does not read an array of objects with single keys."""
    try:
        items = parse_json(body)
    except (BadInput, UnicodeDecodeError):
        return None
    return items if isinstance(items, list) else None


def untouched(body, originals):
    """Indexes of elements that are still the good events they were, once each."""
    items = elements(body)
    return [] if items is None else [i for i, item in enumerate(items) if item in originals]


def judged_again(item, event):
    try:
        VERSIONS[event.type, event.schemaversion].model_validate_json(json.dumps(item["data"]))
        names = {k: v for k, v in item.items() if k in Envelope.model_fields}
        envelope = Envelope.model_validate_json(json.dumps(names))
    except (ValueError, KeyError) as error:
        return [f"accepted what Pydantic refuses: {error}"]
    if canonical_bytes(item["data"]) != event.data_text:
        return ["stored bytes are not the canonical form"]
    # Times finer than a microsecond are rounded by one and cut off by the other.
    fine = re.search(r"\.\d{7,}", item["time"])
    return [] if fine or body_digest(envelope) == event.body_digest else ["the digest differs"]


def fuzz_decoder(decoder, count, seed, stop_at=5):
    rng = random.Random(seed)
    originals = [order(n) for n in range(3)]
    # Events are told apart by their position in the list; each stands once.
    body = json.dumps(originals, separators=(",", ":")).encode()
    found, read, started = [], 0, time.perf_counter()
    for number in range(count):
        trial = mutated(rng, body)
        wrong = problems_of(decoder, trial, originals)
        read += elements(trial) is not None if number % 100 == 0 else 0
        if wrong:
            found.append({"mutation": number, "problems": wrong[:3], "body": trial[:2000].decode("utf-8", "replace")})
            if len(found) >= stop_at:
                break
        if number % 20000 == 0:
            spent = time.perf_counter() - started
            print(f"\r{number:,} mutations, {spent:.0f} s, {len(found)} problems", end="", file=sys.stderr)
    print(file=sys.stderr)
    return {"mutations": number + 1, "seconds": round(time.perf_counter() - started), "problems": found}


def planted():
    """The control's application: one kind of query parameter makes it fail."""
    from steward.api.app import create_app

    app = create_app()
    inner = app.router.routes

    @app.middleware("http")
    async def fault(request, call_next):
        if request.query_params.get("limit", "").startswith("7"):
            raise ZeroDivisionError
        return await call_next(request)

    assert inner
    return app


def serve(home, port, factory):
    environment = {**os.environ, "STEWARD_HOME": str(home), "PYTHONPATH": str(ROOT / "bench")}
    environment.pop("STEWARD_DATABASE_URL", None)
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port), "--log-level", "critical"]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").read()
        except OSError:
            time.sleep(0.1)
        else:
            return server
    raise RuntimeError("the server did not come up")


def fuzz_http(home, port, key, examples, seed):
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"http://127.0.0.1:{port}/v1/openapi.json",
        "-H", f"Authorization: Bearer {key}", "--exclude-path", "/v1/events/stream", "-n", str(examples),
        "--seed", str(seed), "--phases", "coverage,fuzzing", "--checks",
        "not_a_server_error,content_type_conformance,response_schema_conformance", "--mode", "all",
        "--suppress-health-check", "all", "--no-color", "--generation-database", "none", "--request-timeout", "20",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=False)
    output = done.stdout + done.stderr
    generated = re.findall(r"([\d,]+) generated", output)
    return {
        "requests": int(generated[-1].replace(",", "")) if generated else 0,
        "exit": done.returncode,
        "server_errors": output.count("Server error"),
        "tail": output[-6000:],
    }


def http_part(examples, seed):
    from steward.infra.access import AccessKeys
    from steward.infra.clock import SystemClock
    from steward.infra.connect import open_database, stop_database
    from steward.infra.scopes import SCOPES
    from steward.infra.settings import Settings

    with tempfile.TemporaryDirectory(prefix="steward-fuzz-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        settings = Settings(home=home, database_url=None, host="127.0.0.1", port=0)
        database = open_database(settings)
        key = AccessKeys(database, SystemClock()).create("fuzz", sorted(SCOPES))
        database.close()
        results = {}
        for name, factory, count in (
            ("ours", "steward.api.app:create_app", examples),
            ("control", "event_fuzz:planted", 60),
        ):
            server = serve(home, 7193, factory)
            try:
                results[name] = fuzz_http(home, 7193, key, count, seed)
            finally:
                server.terminate()
                server.wait()
        environment = {**os.environ, "STEWARD_HOME": folder}
        environment.pop("STEWARD_DATABASE_URL", None)
        verify = subprocess.run(
            [sys.executable, "-m", "steward", "events", "verify", "--json"],
            env=environment,
            capture_output=True,
            check=False,
        )
        results["log"] = {key: value for key, value in json.loads(verify.stdout).items() if key in {"count", "dense"}}
        results["log"]["intact"] = verify.returncode == 0
        stop_database(settings)
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutations", type=int, default=1_000_000)
    parser.add_argument("--examples", type=int, default=3900)
    parser.add_argument("--seed", type=int, default=20261123)
    arguments = parser.parse_args()
    if arguments.mutations:
        ours = fuzz_decoder(Decoder(VERSIONS), arguments.mutations, arguments.seed)
        control = fuzz_decoder(GivesUp(VERSIONS), min(arguments.mutations, 20_000), arguments.seed, stop_at=1)
        decoder = {**ours, "control_caught_after": control["mutations"] if control["problems"] else None}
    else:  # only the interface is asked again; what the decoder showed before stands
        decoder = json.loads((RESULTS / "event_fuzz.json").read_text(encoding="utf-8"))["decoder"]
    http = http_part(arguments.examples, arguments.seed) if arguments.examples else {}
    for part in ("ours", "control"):
        tail = http.get(part, {}).pop("tail", "")
        if part == "ours" and http.get(part, {}).get("exit"):
            print(tail, file=sys.stderr)
    document = {
        "name": "event_fuzz",
        "machine": machine(),
        "seed": arguments.seed,
        "decoder": decoder,
        "http": http,
    }
    print(json.dumps(document, indent=1))
    good = not decoder["problems"] and decoder["control_caught_after"] is not None
    if http:
        good &= http["ours"]["server_errors"] == 0 and http["control"]["server_errors"] > 0 and http["log"]["intact"]
    if good:
        save(document)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
