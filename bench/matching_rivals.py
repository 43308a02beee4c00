"""Two rivals on the same data: equal ids and references only, and the weighted greedy matcher of scores.

The greedy one scores amount .40, currency .30, date .20, reference .10 and accepts from 90 of 100, best score first,
no item twice. It is given what helps it: no limit on candidates, all of the right type and sign, amounts that are
equal (an amount that is not cannot reach 90 without raising its errors), references compared with two slips allowed,
equal scores in the order of the distance between instants.
"""

from datetime import timedelta

from steward.reconciliation.core.edits import LONG, within

WEIGHTS = {"amount": 40, "currency": 30, "date": 20, "reference": 10}
THRESHOLD = 90
DATE_DAYS = 7  # the date score falls from 1 to 0 over a week
DAMAGED = 0.8  # the score of a reference that differs by one or two slips


def exact_ids(rows, moves):
    """Pairs with any equal id or reference, of equal type and gross amount; a movement goes to the first line that
    names it.
    """
    index = {}
    for key, move in moves.items():
        for ref in move.refs:
            index.setdefault((move.type, ref), []).append(key)
    taken, pairs = set(), []
    for line_key, row in rows.items():
        line = row.line
        named = (key for ref in line.refs for key in index.get((line.type, ref), ()))
        found = next((key for key in named if key not in taken and same(line, moves[key])), None)
        if found is not None:
            taken.add(found)
            pairs.append(((line_key,), (found,)))
    return pairs


def same(line, move):
    return line.currency == move.currency and line.gross_minor == move.gross_minor


def day_score(line, move):
    return max(0.0, 1 - abs((line.at.date() - move.at.date()).days) / DATE_DAYS)


def reference_score(line, move):
    best = 0.0
    for kind, value in line.refs:
        for name, other in move.refs:
            if kind == name:
                if value == other:
                    return 1.0
                if best == 0.0 and len(value) >= LONG and within(value, other) is not None:
                    best = DAMAGED
    return best


def greedy(rows, moves, threshold=THRESHOLD):
    """Pairs in the order of their score; by instants among equals."""
    by_ref, by_kin = {}, {}
    for key, move in moves.items():
        for ref in move.refs:
            by_ref.setdefault((move.type, ref), []).append(key)
        kin = move.type, move.currency, move.gross_minor, move.at.date()
        by_kin.setdefault(kin, []).append(key)
    taken, pairs, left = set(), [], []
    perfect = []
    for line_key, row in rows.items():
        line = row.line
        named = {key for ref in line.refs for key in by_ref.get((line.type, ref), ())}
        full = [key for key in named if same(line, moves[key]) and day_score(line, moves[key]) == 1.0]
        perfect += [(apart(line, moves[key]), line_key, key) for key in full]
        left.append(line_key)
    accept(sorted(perfect), taken, pairs)
    done = {line for (line,), _ in pairs}
    scored = []
    for line_key in left:
        if line_key not in done:
            scored += candidates(rows[line_key].line, line_key, moves, by_ref, by_kin, taken, threshold)
    scored.sort()
    accept([(distance, line, key) for _, distance, line, key in scored], taken, pairs)
    return pairs


def candidates(line, line_key, moves, by_ref, by_kin, taken, threshold):
    """(minus score, distance, line, movement) of everything that reaches the threshold."""
    named = {key for ref in line.refs for key in by_ref.get((line.type, ref), ())}
    reach = 2 if line.refs else 0  # without a reference only the same day reaches 90; a damaged one allows two days off
    near = {
        key
        for days in range(-reach, reach + 1)
        for key in by_kin.get((line.type, line.currency, line.gross_minor, line.at.date() + timedelta(days=days)), ())
    }
    found = []
    for key in named | near:
        move = moves[key]
        if key in taken or not same(line, move):
            continue
        score = WEIGHTS["amount"] + WEIGHTS["currency"] + WEIGHTS["date"] * day_score(line, move)
        score += WEIGHTS["reference"] * (reference_score(line, move) if line.refs else 0.0)
        if score >= threshold:
            found.append((-score, apart(line, move), line_key, key))
    return found


def apart(line, move):
    return abs((line.at - move.at).total_seconds())


def accept(ordered, taken, pairs):
    lines = set()
    for _, line, move in ordered:
        if line not in lines and move not in taken:
            lines.add(line)
            taken.add(move)
            pairs.append(((line,), (move,)))
