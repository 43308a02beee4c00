"""What the lines that are left say about movements: every reference they carry, looked up in all of the books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steward.reconciliation.core.identities import CARRIERS, IDENTITIES, telling
from steward.reconciliation.core.pool import Pool

Ref = tuple[str, str]


@dataclass(slots=True)
class Relations:
    """Movements by reference, free or not, for the references of `lines`; and who claims which movement by its id."""

    pool: Pool
    lines: list[int]
    moves_of: dict[Ref, list[int]]
    claims: dict[int, int]  # line -> the movement its ids name, where that is not the match

    def known(self, n: int) -> bool:
        """Whether the books know a reference of this line: then it cannot be some other movement."""
        kind = self.pool.lines[n].type
        return any(ref in self.moves_of and telling(kind, ref) for ref in self.pool.lines[n].refs)

    def related(self, n: int) -> list[int]:
        """Movements of the line's type that share a telling reference with it."""
        line, moves = self.pool.lines[n], self.pool.moves
        kind, found = line.type, list[int]()
        for ref in line.refs:
            held = self.moves_of.get(ref)
            if held is not None and ref[0] not in CARRIERS[kind]:
                for m in held:
                    if moves[m].type == kind and m not in found:
                        found.append(m)
        return found

    def namesakes(self, n: int) -> list[int]:
        """Movements of the line's type that carry one of the ids that name such a movement."""
        line, moves = self.pool.lines[n], self.pool.moves
        own = IDENTITIES[line.type]
        found = {m for ref in line.refs if ref[0] in own for m in self.moves_of.get(ref, ())}
        return sorted((m for m in found if moves[m].type == line.type), key=lambda m: moves[m].key)

    def spoken_for(self, lines: Sequence[int]) -> set[int]:
        """Free movements that one of these lines refers to: no line without a reference may take them."""
        pool = self.pool
        return {
            m
            for n in lines
            for ref in pool.lines[n].refs
            if telling(pool.lines[n].type, ref)
            for m in self.moves_of.get(ref, ())
            if pool.move_free[m] and pool.lines[n].type in {pool.moves[m].type, "unknown"}
        }


def relations_of(pool: Pool, claims: dict[int, int]) -> Relations:
    """Looked up once, after the ids have settled what they can."""
    lines = pool.free_lines()
    wanted = {ref for n in lines for ref in pool.lines[n].refs}
    moves_of: dict[Ref, list[int]] = {}
    for m, move in enumerate(pool.moves):
        for ref in move.refs:
            if ref in wanted and ref[1]:
                moves_of.setdefault(ref, []).append(m)
    return Relations(pool, lines, moves_of, claims)
