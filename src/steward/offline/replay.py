"""One decision derived again: from the catalog's canonical document and the facts of its bundle to the verdict.

The bundle is checked by the trusted checker; then every rule that covers the action is read from the catalog, ground
rules are evaluated, obligations are built anew and compared with those that were proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from steward.kernel.errors import BadInput
from steward.offline.wording import TRIES_MAX, WORDING, Asked
from steward.verifier.core.bundle import check_parts
from steward.verifier.core.check import Refused, require
from steward.verifier.core.decide import Answer, Question, Situation, examine, malformed, situation
from steward.verifier.core.dossier import compared, restated
from steward.verifier.core.rules import Bounds, Catalog, Invariant, State
from steward.verifier.core.syntax import from_json
from steward.verifier.core.theorems import Book, known, read_book
from steward.verifier.core.types import Type, read_type, type_json

REMEMBERED_MAX = 500_000


@dataclass(frozen=True)
class Prepared(Invariant):
    """A rule of the catalog, and the names it reads if all are single values: those decide what it says."""

    single: tuple[str, ...] = ()


def _type(spec: Any) -> Type:
    kind = read_type(spec)
    require(type_json(kind) == spec, f"{str(spec)[:60]} is not the one form of a type")
    return kind


def _bounds(pair: Any) -> Bounds:
    low, high = (None if end is None else Fraction(end) for end in pair)
    return low, high


def _rule(entry: dict[str, Any], facts: dict[str, Type], kinds: dict[str, dict[str, Type]]) -> Prepared:
    when = None if entry["when"] is None else from_json(entry["when"])
    require(entry["otherwise"] in ("deny", "escalate"), "an unknown severity")
    plain = Invariant(
        entry["id"], tuple(entry["on"]), when, from_json(entry["require"]), entry["otherwise"], entry["why"]
    )
    return Prepared(
        plain.id,
        plain.on,
        when,
        plain.require,
        plain.otherwise,
        plain.why,
        single=() if _reads_lists(plain, facts, kinds) else plain.ordered,
    )


def _reads_lists(rule: Invariant, facts: dict[str, Type], kinds: dict[str, dict[str, Type]]) -> bool:
    scope = {**facts, **{f"action.{name}": kind for on in rule.on for name, kind in kinds.get(on, {}).items()}}
    return any(name in scope and scope[name].name == "list" for name in rule.reads())


def catalog_of(document: Any, digest: str) -> Catalog:
    """The catalog that a canonical document says; `Refused` if it says none."""
    try:
        facts = {name: _type(spec) for name, spec in document["facts"].items()}
        kinds = {
            kind: {name: _type(spec) for name, spec in params.items()} for kind, params in document["kinds"].items()
        }
        rules = tuple(_rule(entry, facts, kinds) for entry in document["invariants"])
        require(len({rule.id for rule in rules}) == len(rules), "an invariant appears twice")
        states = tuple(
            State(entry["id"], from_json(entry["holds"]), entry["why"]) for entry in document.get("states", ())
        )
        return Catalog(
            facts=facts,
            kinds=kinds,
            invariants=rules,
            digest=digest,
            bounds={name: _bounds(pair) for name, pair in document.get("bounds", {}).items()},
            states=states,
            effects={
                kind: {fact: from_json(node) for fact, node in effect.items()}
                for kind, effect in document.get("effects", {}).items()
            },
            witnesses=document.get("witnesses", {}),
            document=document,
        )
    except (BadInput, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused(f"the catalog cannot be read: {type(error).__name__} {str(error)[:100]}") from None


class Replay:
    """The catalogs of an export, and the decisions replayed under them."""

    def __init__(self, catalogs: dict[str, Catalog]) -> None:
        self.catalogs = catalogs
        self.books: dict[str, Book] = {}
        self.used: set[str] = set()
        self.named: set[tuple[str, str]] = set()
        self._known: dict[str, dict[str, str]] = {}
        self._said: dict[tuple[Any, ...], Answer | Question] = {}
        self.wording: dict[tuple[str, str, bool], int] = {}

    def theorems(self, digest: str, book: Any) -> str:
        """Take in the theorems of a catalog, each rebuilt and checked; what is wrong with them, or nothing."""
        catalog = self.catalogs.get(digest)
        if catalog is None:
            return "of a catalog that is not in the export"
        self.books[digest] = read_book(catalog, book)
        self._known[digest] = known(self.books[digest])
        try:
            listed = [str(entry["obligation"]["digest"]) for entry in book["theorems"]]
        except (TypeError, KeyError):
            return "they cannot be read"
        refused = [name for name in listed if name not in self._known[digest]]
        return f"{refused[0]} is no theorem of this catalog" if refused else ""

    def unnamed(self) -> list[tuple[str, str]]:
        """(catalog, theorem) of what no decision names."""
        held = {(digest, theorem) for digest, book in self._known.items() for theorem in book}
        return sorted(held - self.named)

    def bundle(self, bundle: Any, line: bytes) -> str:
        """Why a bundle, read from `line`, is not what its catalog demands for its action and facts; empty if it is."""
        try:
            catalog = self.catalogs.get(bundle["catalog_digest"])
            if catalog is None:
                return "it was made under a catalog that is not in the export"
            self.used.add(catalog.digest)
            exact = check_parts(bundle, self._known.get(catalog.digest, {})).encode() == line
            require(exact, "not in canonical form")
            return self._derived(catalog, bundle)
        except Refused as refused:
            return str(refused)
        except (BadInput, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            return f"it cannot be read: {type(error).__name__}"

    def _derived(self, catalog: Catalog, bundle: dict[str, Any]) -> str:
        action, facts, now = bundle["action"], bundle["facts"], bundle["now"]
        require(type(facts) is dict and type(now) is str and type(bundle["witness"]) is dict, "a part is of no use")
        if malformed(catalog, action) is not None:
            return "" if not bundle["findings"] and not facts else "the action is refused before any rule is read"
        unread = set(facts).difference(catalog.plan(action["kind"]).facts)
        if unread:
            return f"no rule reads its fact {min(unread)}"
        return self._tried(catalog, bundle, situation(catalog, action, facts, now))

    def _examined(self, rule: Invariant, given: Situation) -> Answer | Question:
        """What a rule says; where it reads single known values only, remembered for the next decision that has them."""
        names = cast("Prepared", rule).single
        if not names or any(name not in given.values for name in names):
            return examine(rule, given)
        key = (id(rule), *[given.values[name] for name in names])
        found = self._said.get(key)
        if found is None:
            asked = len(WORDING.asked)
            found = examine(rule, given)
            if len(WORDING.asked) == asked and len(self._said) < REMEMBERED_MAX:
                self._said[key] = found
        return found

    def _tried(self, catalog: Catalog, bundle: dict[str, Any], given: Situation) -> str:
        """Compare with what is derived. Where text could not be matched here, either answer may be the true one."""
        waiting: list[dict[Asked, bool]] = [{}]
        reason = ""
        for _ in range(TRIES_MAX):
            answers = waiting.pop(0)
            WORDING.start(answers)
            book = self.books.get(catalog.digest, {})
            found = compared(catalog, bundle, given, self._examined) or restated(catalog, bundle, given.kind, book)
            if not found:
                self.named |= {(catalog.digest, entry["obligation_digest"]) for entry in bundle.get("theorems", ())}
                for pattern, text in WORDING.asked:
                    key = (pattern, text, answers.get((pattern, text), False))
                    self.wording[key] = self.wording.get(key, 0) + 1
                return ""
            reason = reason or found
            waiting += [{**answers, asked: True} for asked in dict.fromkeys(WORDING.asked) if asked not in answers]
            if not waiting:
                break
        return reason
