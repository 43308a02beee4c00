"""The rules of the first five steps as they are written down, by trying everything: a slow twin for small worlds.

It shares the identities of ids and the distance of edits with the cascade, which have oracles of their own, and nothing
else: agreement is computed with fractions, dates by counting days, blocks by all permutations.
"""

from datetime import timedelta
from fractions import Fraction
from itertools import permutations

from steward.reconciliation.core.edits import LONG, within

OWN = {"payment": {"transaction", "payment"}, "refund": {"transaction", "refund"}, "unknown": {"transaction"}}


class Twin:
    def __init__(self, lines, moves, terms, windows, most=32):
        self.lines, self.moves, self.terms = lines, moves, terms
        self.window = windows[0] if windows else None
        self.most = most
        self.free_lines, self.free_moves = list(lines), list(moves)
        self.matches, self.delayed = set(), set()

    # what a pair is

    def scheduled(self, move):
        for term in self.terms:
            if (term.type, term.currency) == (move.type, move.currency):
                return round(Fraction(abs(move.gross_minor) * term.ppm, 1_000_000)) + term.fixed_minor
        return None

    def net(self, move):
        fee = move.fee_minor if move.fee_minor is not None else self.scheduled(move)
        return move.gross_minor - (fee or 0)

    def agree(self, line, move):
        if (line.type, line.currency, line.gross_minor) != (move.type, move.currency, move.gross_minor):
            return False
        if line.fee_minor == move.fee_minor:
            return True
        scheduled = self.scheduled(move)
        if scheduled is None:
            return move.fee_minor is None and line.fee_minor == 0
        return abs(line.fee_minor - scheduled) <= 1 and abs(line.net_minor - self.net(move)) <= 1

    def timing(self, line, move):
        if self.window is None:
            return "in time"
        day = line.day or (line.at.date() if line.at else None)
        if day is None:
            return "in time"
        last = move.at.date()
        while last.weekday() >= 5:
            last += timedelta(days=1)
        for _ in range(self.window.latest):
            last += timedelta(days=1)
            while last.weekday() >= 5:
                last += timedelta(days=1)
        return "in time" if move.at.date() <= day <= last else "late" if day > last else "date"

    def contradict(self, line, move):
        return any(
            kind == other and kind in OWN[line.type] and value != theirs
            for kind, value in line.refs
            for other, theirs in move.refs
        )

    @staticmethod
    def doubtful(line, move):
        return any(
            kind == other
            and (kind, value) not in move.refs
            and len(theirs) >= LONG
            and within(value, theirs, 4) is not None
            for kind, value in line.refs
            for other, theirs in move.refs
        )

    @staticmethod
    def near(one, other):
        return min(len(one), len(other)) >= LONG and within(one, other) is not None

    # what is done

    def settle(self, lines, moves, delayed=None):
        if delayed:
            self.delayed.add((lines[0].key, moves[0].key, delayed))
        else:
            self.matches.add((frozenset(line.key for line in lines), frozenset(move.key for move in moves)))
        self.free_lines = [line for line in self.free_lines if line not in lines]
        self.free_moves = [move for move in self.free_moves if move not in moves]

    def run(self):
        self.by_ids()
        self.by_reference()
        self.by_window()
        return self.matches, self.delayed

    def carriers(self, kind, ref):
        return [move for move in self.moves if move.type == kind and ref in move.refs]

    def claim(self, line):
        """The movement that the line's ids name: each of them names it alone, and none contradicts."""
        named = [self.carriers(line.type, ref) for ref in line.refs if ref[0] in OWN[line.type]]
        alone = [held[0] for held in named if len(held) == 1]
        if (
            not alone
            or any(move is not alone[0] for move in alone)
            or self.contradict(line, alone[0])
            or self.doubtful(line, alone[0])
        ):
            return None
        return alone[0]

    @staticmethod
    def rank(line):
        return (line.at.isoformat() if line.at else str(line.day or "~"), line.key)

    def by_ids(self):
        self.claims = {line.key: self.claim(line) for line in self.lines}
        for move in self.moves:
            claims = [n for n in self.lines if self.claims[n.key] is move and self.agree(n, move)]
            in_time = [line for line in claims if self.timing(line, move) == "in time"]
            chosen = sorted(in_time or claims, key=self.rank)
            if chosen:
                timing = self.timing(chosen[0], move)
                self.settle([chosen[0]], [move], None if timing == "in time" else timing)

    def candidates(self, line):
        claimed = self.claims[line.key]
        if claimed is not None and claimed not in self.free_moves:
            return []
        return [
            move
            for move in self.free_moves
            if self.agree(line, move)
            and set(line.refs) & set(move.refs)
            and not self.contradict(line, move)
            and not self.doubtful(line, move)
        ]

    def by_reference(self):
        edges = {line.key: self.candidates(line) for line in self.free_lines}
        timely = {
            line.key: [move for move in edges[line.key] if self.timing(line, move) == "in time"]
            for line in self.free_lines
        }
        for lines, moves in self.decide(timely):
            alike = len({(line.refs, line.gross_minor, line.fee_minor) for line in lines}) == 1
            whole = all(len(timely[line.key]) == len(moves) for line in lines)
            if alike and whole and len(lines) > len(moves):
                first = sorted(lines, key=self.rank)[: len(moves)]
                self.decide({line.key: timely[line.key] for line in first})
        rest = {line.key: self.candidates(line) for line in self.free_lines if edges[line.key]}
        for line in list(self.free_lines):
            found = rest.get(line.key, [])
            if len(found) == 1 and sum(found[0] in held for held in rest.values()) == 1:
                timing = self.timing(line, found[0])
                self.settle([line], found, None if timing == "in time" else timing)

    def by_window(self):
        if self.window is None:
            return
        references = {(ref, move.type) for move in self.moves for ref in move.refs}
        known = {ref for ref, _ in references}
        named = [line for line in self.free_lines if any(ref in known for ref in line.refs)]
        spoken = [
            move
            for move in self.free_moves
            if any(set(line.refs) & set(move.refs) and line.type in (move.type, "unknown") for line in named)
        ]
        edges = {}
        for line in self.free_lines:
            if line in named or (line.day is None and line.at is None):
                continue
            around = [
                move
                for move in self.moves
                if self.agree(line, move) and self.timing(line, move) == "in time" and self.instants(line, move)
            ]
            block = [move for move in around if move in self.free_moves and move not in spoken]
            if not self.foreign(line, block, around):
                edges[line.key] = block
        self.decide(edges)

    def instants(self, line, move):
        seconds = self.window.seconds
        return seconds is None or line.at is None or abs((line.at - move.at).total_seconds()) <= seconds

    def foreign(self, line, block, around):
        kinds = {kind for kind, _ in line.refs}
        if not any(kinds & {kind for kind, _ in move.refs} for move in block):
            return False
        inside = [slips for move in block if (slips := self.slips(line, move)) is not None]
        others = [slips for move in around if move not in block and (slips := self.slips(line, move)) is not None]
        return not inside or (others and min(others) <= min(inside))

    def slips(self, line, move):
        shared = [(v, [t for k, t in move.refs if k == kind]) for kind, v in line.refs]
        shared = [(value, theirs) for value, theirs in shared if theirs]
        if any(all(within(value, other) is None for other in theirs) for value, theirs in shared):
            return None
        if not any(self.near(value, other) for value, theirs in shared for other in theirs):
            return None
        return sum(min(d for other in theirs if (d := within(value, other)) is not None) for value, theirs in shared)

    def decide(self, edges):
        """Accept the components that can be, return the others."""
        left = []
        lines = {line.key: line for line in self.free_lines}
        groups = [({key}, {move.key for move in held}) for key, held in edges.items() if held]
        merged = True
        while merged:
            merged = False
            for n, (rows, columns) in enumerate(groups):
                for other in groups[n + 1 :]:
                    if columns & other[1]:
                        rows.update(other[0])
                        columns.update(other[1])
                        groups.remove(other)
                        merged = True
                        break
                if merged:
                    break
        for rows, columns in groups:
            own = [lines[key] for key in sorted(rows)]
            moves = [move for move in self.free_moves if move.key in columns]
            if not self.accept(own, moves, edges):
                left.append((own, moves))
        return left

    def accept(self, lines, moves, edges):
        if len(lines) != len(moves):
            return False
        perfect = [
            chosen
            for chosen in permutations(moves)
            if all(move in edges[line.key] for line, move in zip(lines, chosen, strict=True))
        ]
        if not perfect:
            return False
        union = {line.key: {chosen[n].key for chosen in perfect} for n, line in enumerate(lines)}
        done = set()
        for line in lines:
            if line.key in done:
                continue
            block = [other for other in lines if union[other.key] & union[line.key]]
            grown = True
            while grown:
                reach = set().union(*(union[other.key] for other in block))
                more = [other for other in lines if union[other.key] & reach]
                grown, block = len(more) > len(block), more
            done |= {other.key for other in block}
            held = [move for move in moves if move.key in set().union(*(union[other.key] for other in block))]
            self.pairs_or_set(block, held, edges)
        return True

    def pairs_or_set(self, lines, moves, edges):
        if len(lines) > 1 and not self.told_apart(lines, moves, edges):
            self.settle(lines, moves)
            return
        for line, move in zip(lines, self.best if len(lines) > 1 else moves, strict=True):
            self.settle([line], [move])

    def told_apart(self, lines, moves, edges):
        """Whether the instants make one pairing the best by the margin."""
        if self.window is None or self.window.seconds is None or any(line.at is None for line in lines):
            return False
        costs = sorted(
            (sum(abs((line.at - move.at).total_seconds()) for line, move in zip(lines, chosen, strict=True)), n, chosen)
            for n, chosen in enumerate(permutations(moves))
            if all(move in edges[line.key] for line, move in zip(lines, chosen, strict=True))
        )
        self.best = costs[0][2]
        return costs[1][0] - costs[0][0] >= self.window.margin_seconds
