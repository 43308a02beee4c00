"""How long a call to a served shop takes: a read, an act (today is lived again), a day that passes.

Run: python bench/faces.py [--shop small] [--acts 100]. Results in bench/results/faces.json.
The control is the same act under a key that was used: it must answer and must not act.
"""

import argparse
import json
import subprocess
import sys
import time

import httpx
from results import machine, save


def timed(call, count):
    """Milliseconds of each of `count` calls, sorted."""
    found = []
    for number in range(count):
        begin = time.perf_counter()
        answer = call(number)
        found.append((time.perf_counter() - begin) * 1000)
        answer.raise_for_status()
    return sorted(found)


def shown(times):
    return {"median_ms": round(times[len(times) // 2], 1), "p95_ms": round(times[len(times) * 95 // 100], 1)}


def measured(faces, count):
    def client(name, secret):
        return httpx.Client(base_url=faces[name]["url"], headers={"authorization": f"Bearer {secret}"}, timeout=60)

    control = client("control", faces["control"]["token"])
    stripe = client("stripe", faces["stripe"]["api_key"])
    control.post("/_livemarket/clock/advance", json={"seconds": 130_000}).raise_for_status()
    charges = []
    while len(charges) < count:
        after = {"starting_after": charges[-1]} if charges else {}
        page = stripe.get("/v1/charges", params={"limit": 100} | after).json()["data"]
        good = [c for c in page if c["status"] == "succeeded" and not c["disputed"]]
        charges += [c["id"] for c in good if c["amount"] - c["amount_refunded"] > 100]

    def act(number, key=""):
        headers = {"idempotency-key": f"bench-{key or number}"}
        return stripe.post("/v1/refunds", data={"charge": charges[number], "amount": 100}, headers=headers)

    made = {
        "read": shown(timed(lambda _: stripe.get("/v1/charges", params={"limit": 10}), count)),
        "act": shown(timed(act, count)),
    }
    before = control.get("/_livemarket/run").json()["acts"]
    made["control_used_key"] = shown(timed(act, count))
    made["control_acts"] = control.get("/_livemarket/run").json()["acts"] - before
    day = timed(lambda _: control.post("/_livemarket/clock/advance", json={"seconds": 86_400}), 10)
    return made | {"acts": before, "day": shown(day)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", default="small")
    parser.add_argument("--acts", type=int, default=100)
    arguments = parser.parse_args()
    command = [
        sys.executable,
        "-m",
        "livemarket",
        "serve",
        "--seed",
        "7",
        "--days",
        "30",
        "--speed",
        "manual",
        "--json",
    ]
    begin = time.perf_counter()
    process = subprocess.Popen([*command, "--shop", arguments.shop], stdout=subprocess.PIPE, text=True)
    try:
        faces = json.loads(process.stdout.readline())["faces"]
        result = {"shop": arguments.shop, "start_s": round(time.perf_counter() - begin, 1)} | measured(
            faces, arguments.acts
        )
    finally:
        process.terminate()
        process.wait(timeout=30)
    save({"name": "faces", "machine": machine(), **result})
    print(json.dumps(result, indent=1))
    sys.exit(0 if result["control_acts"] == 0 and result["acts"] == arguments.acts else 1)


if __name__ == "__main__":
    main()
