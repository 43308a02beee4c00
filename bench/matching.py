"""The matching cascade on a year of half a million lines: speed, faults found and named, and two rivals.

Parts: the clean year (no break may come, and how fast), fourteen kinds of fault two hundred times each, the same with
a fifth of the lines without ids and a twentieth with damaged ones beside two rivals, the share of ids missing from
none to forty in a hundred, and the payouts at the bank. Controls that must fail: accepting what is only proposed makes
wrong matches, and a break that is dropped is found by conservation.

Run: python bench/matching.py [--days 365] [--write] [--clean]. Exits 1 if a bar is missed or a control does not fail.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from results import RESULTS, machine, save

HERE = str(Path(__file__).resolve().parent)
# a file of this folder is called livemarket too, so the folder comes last
sys.path = [path for path in sys.path if str(Path(path or ".").resolve()) != HERE] + [HERE]

from matching_data import PROVIDERS, WINDOWS, degraded, statements, year
from matching_faults import spoilt
from matching_rivals import DATE_DAYS, THRESHOLD, WEIGHTS, exact_ids, greedy

from steward.contracts.settlement import BankLine, Statement
from steward.reconciliation.core import conserve
from steward.reconciliation.core.bank import reconcile_bank
from steward.reconciliation.core.calendars import Window
from steward.reconciliation.core.cascade import fingerprint, reconcile
from steward.reconciliation.core.schedule import Schedule

ROUNDS = 3
SIZES = (6, 8, 10, 12, 14, 16)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)


def ran(made):
    """(result, truth by line key, seconds of processor, seconds)."""
    told, truth = statements(made)
    moves = list(made.moves.values())
    cpu, wall = time.process_time(), time.perf_counter()
    result = reconcile(told, moves, made.terms, WINDOWS, made.as_of)
    return result, truth, time.process_time() - cpu, time.perf_counter() - wall


def pairs_of(matches):
    return [
        (
            tuple(item.key for item in match.items if item.side == "statement"),
            tuple(item.key for item in match.items if item.side == "books"),
        )
        for match in matches
    ]


def judged(pairs, truth):
    """A match is right if its movements are exactly those its lines truly tell; counted in lines."""
    right = wrong = 0
    for lines, moves in pairs:
        good = set().union(*(truth[line].truth for line in lines)) == set(moves)
        right += len(lines) * good
        wrong += len(lines) * (not good)
    of = sum(bool(row.truth) for row in truth.values())
    return {
        "right": right,
        "wrong": wrong,
        "lines": of,
        "precision": round(right / max(1, right + wrong), 6),
        "recall": round(right / of, 6),
    }


def clean(made):
    """No break, every line matched, every round the same; and how fast."""
    rounds = [ran(made) for _ in range(ROUNDS)]
    result, truth, _, _ = rounds[0]
    lines = result.report.lines
    assert len({fingerprint(other[0]) for other in rounds}) == 1
    with_ids = sum(bool(row.line.refs) for row in truth.values())
    return {
        "lines": lines,
        "expected": result.report.expected,
        "open": result.notes["open"],
        "by_rule": result.report.by_rule,
        "rounding_minor": result.report.rounding_minor,
        "rounded_lines": result.notes["rounded"],
        "false_alarms": len(result.breaks),
        "auto_matched_of_lines_with_ids": round(result.report.matched / with_ids, 6),
        "lines_a_second_of_processor": [round(lines / cpu) for _, _, cpu, _ in rounds],
        "lines_a_second": [round(lines / wall) for _, _, _, wall in rounds],
        **judged(pairs_of(result.matches), truth),
    }


def named(result, made):
    """How many of each fault were found and named right, and how many breaks touch none."""
    where = {item.key: one for one in result.breaks for item in one.keys}
    touched = frozenset().union(*(keys for _, keys in made.faults))
    rows = {}
    for fault, keys in made.faults:
        row = rows.setdefault(fault, {"injected": 0, "found": 0, "named": 0, "as": Counter()})
        found = {where[key].type for key in keys if key in where}
        row["injected"] += 1
        row["found"] += bool(found)
        row["named"] += fault in found
        if fault not in found:
            row["as"].update(found)
    alarms = sum(not any(item.key in touched for item in one.keys) for one in result.breaks)
    return rows, alarms


def faults(made):
    result, truth, _, wall = ran(made)
    rows, alarms = named(result, made)
    total = {name: sum(row[name] for row in rows.values()) for name in ("injected", "found", "named")}
    return {
        "lines": result.report.lines,
        "breaks": len(result.breaks),
        **total,
        "false_alarms": alarms,
        "seconds": round(wall, 1),
        "conserved": result.report.conserved,
        "by_fault": {name: {**row, "as": dict(row["as"])} for name, row in sorted(rows.items())},
        "matches": judged(pairs_of(result.matches), truth),
    }


def beside_rivals(made):
    """Ours and the rivals on the same lines."""
    result, truth, _, wall = ran(made)
    found = {"ours": {**judged(pairs_of(result.matches), truth), "seconds": round(wall, 1)}}
    found["ours"]["by_rule"] = result.report.by_rule
    for name, matcher in (("exact ids", exact_ids), ("weighted greedy", greedy)):
        begin = time.perf_counter()
        pairs = matcher(truth, made.moves)
        found[name] = {**judged(pairs, truth), "seconds": round(time.perf_counter() - begin, 1)}
    return found, result, truth


def collided(made):
    """Lines whose damaged ids hold a valid one of another movement: nothing in the line says that it is wrong."""
    owners = {}
    for move in made.moves.values():
        for ref in move.refs:
            owners.setdefault((move.type, ref), set()).add(move.key)
    return sum(
        any(not owners.get((row.line.type, ref), set(row.truth)) & set(row.truth) for ref in row.line.refs)
        for row in made.rows
        if row.truth and row.fault != "duplicate"
    )


def accepts_fuzzy(result, truth):
    """The control: what is proposed first is accepted."""
    taken, pairs = set(), []
    for one in result.breaks:
        for proposal in one.proposals[:1]:
            pair = pairs_of([proposal])[0]
            if pair[1][0] not in taken:
                taken.add(pair[1][0])
                pairs.append(pair)
    return judged(pairs, truth)


def drops_a_break(result, made):
    """The control: the same result without one break does not conserve."""
    told, _ = statements(made)
    came_in = {"statement": {}, "books": {}}
    for one in told:
        for line in one.lines:
            own = came_in["statement"].setdefault(line.currency, {})
            own[f"{one.provider}/{one.id}/{line.key}"] = line.net_minor
    fees = {provider: Schedule(made.terms, provider) for provider in PROVIDERS}
    for move in made.moves.values():
        fee = move.fee_minor if move.fee_minor is not None else fees[move.provider].fee(move)
        came_in["books"].setdefault(move.currency, {})[move.key] = move.gross_minor - fee
    conserve.check(came_in, result.matches, result.breaks, result.open)
    try:
        conserve.check(came_in, result.matches, result.breaks[1:], result.open)
    except conserve.NotConserved as error:
        return str(error)
    return None


def bank(made):
    """The year's payouts at the bank: three in ten entries without any reference, some two payouts in one entry."""
    sent = [move for move in made.moves.values() if move.type == "payout" and move.gross_minor]
    sent.sort(key=lambda move: move.key)
    entries, truth, skip = [], {}, False
    for n, move in enumerate(sent):
        if skip:
            skip = False
            continue
        day = move.at.date()
        parts = [move]
        if n % 97 == 50 and n + 1 < len(sent) and abs(sent[n + 1].at - move.at) < timedelta(days=3):
            parts, skip = [move, sent[n + 1]], True
            day = max(part.at.date() for part in parts)
        text = "" if n % 10 < 3 else f"PAYOUT {' '.join(part.refs[0][1].upper().replace('_', '') for part in parts)} CR"
        key, amount = f"entry-{n}", -sum(part.gross_minor for part in parts)
        entries.append(BankLine(n, key, "USD", amount, day, day, text=text))
        truth[f"bank/account/{key}"] = {part.key for part in parts}
    told = [Statement("account", "bank", "main", "USD", tuple(entries))]
    result = reconcile_bank(told, sent, [Window("bank", latest=4)], datetime(2027, 3, 1, tzinfo=UTC))
    right = wrong = 0
    for match in result.matches:
        lines = [item.key for item in match.items if item.side == "bank"]
        moves = {item.key for item in match.items if item.side == "books"}
        good = set().union(*(truth[line] for line in lines)) == moves
        right, wrong = right + len(lines) * good, wrong + len(lines) * (not good)
    return {
        "payouts": len(sent),
        "entries": len(entries),
        "right": right,
        "wrong": wrong,
        "by_rule": result.report.by_rule,
        "left_to_people": len(entries) - right - wrong,
    }


def subsets(made, draws=200):
    """How often the sum of some of n payments is the sum of no other part of them."""
    pick = random.Random(5)
    amounts = [row.line.gross_minor for row in made.rows if row.line.type == "payment" and row.line.gross_minor > 0]
    found = {}
    for size in SIZES:
        alone = 0
        for _ in range(draws):
            drawn = pick.sample(amounts, size)
            target = sum(pick.sample(drawn, pick.randrange(2, size)))
            sums = Counter({0: 1})
            for amount in drawn:
                for total, ways in list(sums.items()):
                    sums[total + amount] += ways
            alone += sums[target] == 1
        found[size] = round(alone / draws, 3)
    return found


def plotted(curve):
    """Recall and wrong matches by the share of lines without ids."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "steward"
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    shares = [100 * point["missing"] for point in curve]
    looks = {"ours": ("#4477aa", "o"), "weighted greedy": ("#ee6677", "s"), "exact ids": ("#999999", "^")}
    for name, (colour, marker) in looks.items():
        recall = [100 * point[name]["recall"] for point in curve]
        wrong = [100 * (1 - point[name]["precision"]) for point in curve]
        left.plot(shares, recall, color=colour, marker=marker, label=name)
        right.plot(shares, wrong, color=colour, marker=marker, label=name)
    left.set_ylabel("lines matched rightly, %")
    right.set_ylabel("accepted matches that are wrong, %")
    for axes in (left, right):
        axes.set_xlabel("lines without any id, % (and 5 % with damaged ids)")
        axes.grid(alpha=0.3)
    left.legend()
    figure.savefig(RESULTS / "matching.svg", metadata={"Date": None})


def quarter(made):
    """The first ninety days of a year, with the movements of those days."""
    end = min(row.line.at for row in made.rows) + timedelta(days=90)
    payouts = {}
    for row in made.rows:
        payouts.setdefault((row.provider, row.payout), []).append(row)
    kept = [row for rows in payouts.values() if all(row.line.at < end for row in rows) for row in rows]
    return replace(made, rows=kept, moves={k: m for k, m in made.moves.items() if m.at < end}, as_of=end)


def bars(document):
    """Each bar by name, and whether it is reached."""
    year_, faulty, rivals = document["clean"], document["faults"], document["twenty_five_in_a_hundred"]
    ours, others = rivals["ours"], [rivals["exact ids"], rivals["weighted greedy"]]
    return {
        "half a million lines": year_["lines"] >= 500_000,
        "no false alarm on the clean year": year_["false_alarms"] == 0,
        "99.5 % of clean lines matched": year_["auto_matched_of_lines_with_ids"] >= 0.995,
        "50,000 lines a second": statistics.median(year_["lines_a_second_of_processor"]) >= 50_000,
        "every fault found": faulty["found"] == faulty["injected"] == 14 * 200,
        "99 % named right": faulty["named"] >= 0.99 * faulty["injected"],
        "no false alarm beside faults": faulty["false_alarms"] == 0,
        "no wrong match": year_["wrong"] == faulty["matches"]["wrong"] == 0,
        "no wrong match with a quarter of the ids missing": document["ids_missing_only"]["wrong"] == 0,
        "more precise than both rivals": all(ours["precision"] >= other["precision"] for other in others),
        "more recall than both rivals": all(ours["recall"] > other["recall"] for other in others),
        "control: accepting proposals is wrong": document["controls"]["accepts_proposals"]["wrong"] > 0,
        "control: a dropped break is noticed": document["controls"]["drops_a_break"] is not None,
    }


def rest(made, document):
    """Every part but the clean year."""
    wrong = spoilt(made)
    document["faults"] = faults(wrong)
    print("faults", document["faults"], flush=True)
    hurt = degraded(wrong)
    found, result, truth = beside_rivals(hurt)
    document["twenty_five_in_a_hundred"] = {"damaged_into_anothers_id": collided(hurt), **found}
    print("degraded", document["twenty_five_in_a_hundred"], flush=True)
    document["controls"] = {
        "accepts_proposals": accepts_fuzzy(result, truth),
        "drops_a_break": drops_a_break(result, hurt),
    }
    print("controls", document["controls"], flush=True)
    bare, truth, _, _ = ran(degraded(wrong, missing=0.25, mangled=0.0))
    document["ids_missing_only"] = judged(pairs_of(bare.matches), truth)
    print("ids missing only", document["ids_missing_only"], flush=True)
    document["bank"] = bank(made)
    print("bank", document["bank"], flush=True)
    document["only_subset"] = subsets(made)
    print("only subset", document["only_subset"], flush=True)
    part = quarter(made)
    document["curve"] = []
    for share in SHARES:
        found, _, _ = beside_rivals(degraded(part, missing=share))
        document["curve"].append({"missing": share, **found})
        print(share, {name: (one["precision"], one["recall"]) for name, one in found.items()}, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--clean", action="store_true", help="only the clean year, beside what was kept of the rest")
    options = parser.parse_args()
    begin = time.perf_counter()
    made = year(options.days)
    document = {"name": "matching", "simulated": True, **machine(), "days": options.days}
    document["greedy"] = {"weights": WEIGHTS, "threshold": THRESHOLD, "date_days": DATE_DAYS}
    document["clean"] = clean(made)
    print("clean", document["clean"], flush=True)
    if options.clean:
        kept = json.loads((RESULTS / "matching.json").read_text(encoding="utf-8"))
        document = {**kept, **document, "commit_of_the_rest": kept.get("commit_of_the_rest", kept["commit"])}
    else:
        rest(made, document)
        document["seconds"] = round(time.perf_counter() - begin)
    document["bars"] = bars(document)
    print(document["bars"], f"{document['seconds']} s")
    if options.write:
        save(document)
        plotted(document["curve"])
    sys.exit(not all(document["bars"].values()))


if __name__ == "__main__":
    main()
