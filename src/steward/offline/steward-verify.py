"""steward-verify: re-proves an exported history offline. Standard library only, Python 3.11 or later.

    python3 steward-verify.py EXPORT --checkpoint FILE --key FILE [--json]

EXPORT is the folder that `steward audit export` wrote. FILE and FILE are what you kept elsewhere: a signed checkpoint
of the log and the public key that signs them. Exit code 0: everything holds. 1: something does not. 2: unreadable.

It recomputes every leaf and the Merkle root and compares them with the checkpoint; checks the digest of every
proof bundle against the log, every certificate, every rule against the catalog and the facts, every obligation and
verdict, and what became of each action. What it takes on trust it prints.

This file is generated: it is cut, line by line, from the modules of Steward named below, each with the start of the
SHA-256 of its source. Of those in brackets only the named parts are taken. Do not edit it; run
`python -m steward.offline.cut`.

    c333134f38bc76fd  steward.kernel.errors
    8614622532427651  steward.kernel.instants (parse_instant, format_instant)
    57142b3c8afc2509  steward.kernel.money (_EXPONENTS, exponent, is_currency, Money)
    dafdf0def671b651  steward.events.core.merkle (EMPTY_ROOT, leaf_hash, node_hash, extend, root_of_frontier)
    8a6e50b72e6dbe1b  steward.events.core.entry (event_key)
    808e9207678473a1  steward.events.store.checkpoints (ORIGIN, note_body)
    38f5beb03e80bff7  steward.verifier.core.syntax
    9056c102fdfb1046  steward.verifier.core.types
    99daffe1340f77fd  steward.verifier.core.formula (SECONDS, fault)
    f68b9b1f6b466343  steward.verifier.core.polynomials
    7c9d9d3618907904  steward.verifier.core.values
    cd57e08bc6b95eb1  steward.offline.wording, in place of steward.verifier.core.patterns
    c4e8cca315dded39  steward.verifier.core.units
    17a1b055d503b01e  steward.verifier.core.rules
    d9f675bea5fa6b52  steward.verifier.core.printer
    ef7f801ab79eb30e  steward.verifier.core.evaluate
    2ebdb302cf7fb0ad  steward.verifier.core.check
    fbb26b3f06b56ce6  steward.verifier.core.bundle
    617ad31c1a130a81  steward.verifier.core.obligations
    353f8f2a2de88415  steward.verifier.core.symbolic
    0a4eb07db8a0f624  steward.verifier.core.theorems
    8315b572d630e96b  steward.offline.quiet, in place of steward.verifier.core.explain
    57b49ab429ec2321  steward.verifier.core.decide
    4ffc490ff720e762  steward.verifier.core.dossier (Examine, _witnessed, compared, restated, _is_theorem)
    61ca1ba28d3f507a  steward.offline.ed25519
    db1fddbd39359fda  steward.offline.history
    770ad232a6345b0f  steward.offline.replay
    467c84f231d5d2bb  steward.offline.story
    f2d69978a0830615  steward.offline.program
"""

# ruff: noqa
# pyright: basic

from __future__ import annotations

import sys
import types


def _part(*names):
    """Runs a part and registers what it defines as a module, so that later parts can import from it."""

    def register(define):
        module = types.ModuleType(names[0])
        module.__dict__.update(define())
        for name in names:
            sys.modules[name] = module
            package, _, last = name.rpartition(".")
            setattr(sys.modules.setdefault(package, types.ModuleType(package)), last, module)
        return module

    return register


@_part("steward_parts.kernel.errors")
def _():
    """The whole error tree. Expected outcomes are values; these are for broken input, programs and plumbing.

    StewardError                    every error of ours; carries a stable `code` and what to do
    ├── BadInput                    a file, argument or message we cannot read        exit code 2
    │   └── CatalogError            the catalog contradicts itself                     exit code 2
    ├── Conflict                    same key, other body; wrong expected version       exit code 1
    ├── Tampered                    stored bytes do not match their digest             exit code 1
    ├── Infrastructure              the database, a process or a disk is at fault     exit code 3
    └── Busy                        a bounded queue is full: come back in a second     exit code 3
    """

    class StewardError(Exception):
        """An error a person can act on: what happened, where, and what to do about it."""

        code = "error"
        exit_code = 1

        def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
            super().__init__(what)
            self.what = what
            self.where = where
            self.fix = fix

        def __str__(self) -> str:
            parts = [f"{self.where}: {self.what}" if self.where else self.what]
            if self.fix:
                parts.append(self.fix)
            return ". ".join(part.rstrip(".") for part in parts)


    class BadInput(StewardError):
        code = "bad_input"
        exit_code = 2


    class CatalogError(BadInput):
        code = "catalog"


    class Conflict(StewardError):
        code = "conflict"


    class Tampered(StewardError):
        code = "tampered"


    class Infrastructure(StewardError):
        code = "infrastructure"
        exit_code = 3


    class Busy(StewardError):
        code = "busy"
        exit_code = 3

    return locals()


@_part("steward_parts.kernel.instants")
def _():
    """Instants are aware UTC datetimes; business dates are plain dates. Text is RFC 3339 ending in Z.
    """

    from datetime import UTC, datetime
    from steward_parts.kernel.errors import BadInput

    def parse_instant(text: str) -> datetime:
        """An RFC 3339 time as UTC. A time without an offset is refused: it does not name an instant."""
        try:
            value = datetime.fromisoformat(text)
        except (ValueError, TypeError):
            raise BadInput(f"{text!r} is not an RFC 3339 time") from None
        if value.tzinfo is None:
            raise BadInput(f"{text!r} has no UTC offset", fix="end it with Z")
        return value.astimezone(UTC)

    def format_instant(value: datetime) -> str:
        """RFC 3339 in UTC ending in Z; microseconds only where there are any."""
        if value.tzinfo is None:
            raise BadInput("an instant must be aware")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    return locals()


@_part("steward_parts.kernel.money")
def _():
    """Money: integer minor units and an ISO 4217 currency. No floats, ever.
    """

    from dataclasses import dataclass
    from decimal import Decimal
    from steward_parts.kernel.errors import BadInput

    _EXPONENTS = {
        **dict.fromkeys(
            [
                "BIF",
                "CLP",
                "DJF",
                "GNF",
                "ISK",
                "JPY",
                "KMF",
                "KRW",
                "PYG",
                "RWF",
                "UGX",
                "UYI",
                "VND",
                "VUV",
                "XAF",
                "XOF",
                "XPF",
            ],
            0,
        ),
        **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
        "CLF": 4,
        "UYW": 4,
    }

    def exponent(currency: str) -> int:
        """Digits after the point in one major unit of `currency`."""
        return _EXPONENTS.get(currency, 2)

    def is_currency(code: str) -> bool:
        """Whether `code` has the form of an ISO 4217 code (three capital letters)."""
        return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()

    @dataclass(frozen=True, slots=True)
    class Money:
        """An amount in minor units (pence, cents) of one currency. Adding two currencies raises `BadInput`."""

        amount_minor: int
        currency: str

        def __post_init__(self) -> None:
            if type(self.amount_minor) is not int:
                raise BadInput(f"amount_minor must be an integer, not {self.amount_minor!r}")
            if not is_currency(self.currency):
                raise BadInput(f"{self.currency!r} is not an ISO 4217 currency code")

        def _same(self, other: Money) -> None:
            if self.currency != other.currency:
                raise BadInput(f"cannot combine {self.currency} with {other.currency}")

        def __add__(self, other: Money) -> Money:
            self._same(other)
            return Money(self.amount_minor + other.amount_minor, self.currency)

        def __sub__(self, other: Money) -> Money:
            self._same(other)
            return Money(self.amount_minor - other.amount_minor, self.currency)

        def __neg__(self) -> Money:
            return Money(-self.amount_minor, self.currency)

        def __le__(self, other: Money) -> bool:
            self._same(other)
            return self.amount_minor <= other.amount_minor

        def __lt__(self, other: Money) -> bool:
            self._same(other)
            return self.amount_minor < other.amount_minor

        def allocate(self, weights: list[int]) -> list[Money]:
            """Split by non-negative integer weights without losing a minor unit (largest remainder, ties to
            the earlier part).
            """
            total = sum(weights)
            if total <= 0 or min(weights) < 0:
                raise BadInput("weights must be non-negative and not all zero")
            sign = -1 if self.amount_minor < 0 else 1
            amount = abs(self.amount_minor)
            shares = [amount * weight // total for weight in weights]
            by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
            for i in by_remainder[: amount - sum(shares)]:
                shares[i] += 1
            return [Money(sign * share, self.currency) for share in shares]

        def __str__(self) -> str:
            digits = exponent(self.currency)
            major = Decimal(self.amount_minor).scaleb(-digits)
            return f"{self.currency} {major:,.{digits}f}"

        def to_json(self) -> dict[str, int | str]:
            return {"amount_minor": self.amount_minor, "currency": self.currency}

    return locals()


@_part("steward_parts.events.core.merkle")
def _():
    """RFC 9162 Merkle tree (section 2.1): roots, inclusion proofs, consistency proofs.

    A tree of n leaves is kept as its frontier: the roots of the perfect subtrees that n's binary digits name,
    largest first. Appending is O(log n) hashes, and the root folds the frontier from the right.
    """

    import hashlib
    from collections.abc import Iterable, Sequence

    EMPTY_ROOT = hashlib.sha256(b"").digest()

    def leaf_hash(entry: bytes) -> bytes:
        """HASH(0x00 || entry)."""
        return hashlib.sha256(b"\x00" + entry).digest()

    def node_hash(left: bytes, right: bytes) -> bytes:
        """HASH(0x01 || left || right)."""
        return hashlib.sha256(b"\x01" + left + right).digest()

    def extend(size: int, frontier: Sequence[bytes], leaves: Iterable[bytes]) -> tuple[int, list[bytes]]:
        """The frontier after appending `leaves` (leaf hashes) to a tree of `size` leaves."""
        stack = list(frontier)
        for leaf in leaves:
            carry, index = leaf, size
            while index & 1:
                carry = node_hash(stack.pop(), carry)
                index >>= 1
            stack.append(carry)
            size += 1
        return size, stack

    def root_of_frontier(frontier: Sequence[bytes]) -> bytes:
        if not frontier:
            return EMPTY_ROOT
        root = frontier[-1]
        for subtree in reversed(frontier[:-1]):
            root = node_hash(subtree, root)
        return root

    return locals()


@_part("steward_parts.events.core.entry")
def _():
    """The bytes of one log entry: its key, what the body digest covers, and the Merkle leaf of a recorded event.
    """

    import hashlib

    def event_key(source: str, event_id: str) -> bytes:
        """The first half of SHA-256 over the source, its length before it, and the id: 16 bytes, unique as a pair."""
        named = source.encode()
        return hashlib.sha256(b"%d:%b%b" % (len(named), named, event_id.encode())).digest()[:16]

    return locals()


@_part("steward_parts.events.store.checkpoints")
def _():
    """Checkpoints of the log, signed, one JSON object a line, in a file outside the database's reach.

    A line holds the size and root of the log, when it was published, and an Ed25519 signature over the three lines
    `steward/log`, size and base64 root: the body of a checkpoint note as transparency logs publish it.
    """

    from base64 import b64encode

    ORIGIN = "steward/log"

    def note_body(size: int, root: str) -> bytes:
        """What is signed. The root is 64 hex digits here and base64 in the note."""
        return f"{ORIGIN}\n{size}\n{b64encode(bytes.fromhex(root)).decode()}\n".encode()

    return locals()


@_part("steward_parts.verifier.core.syntax")
def _():
    """The abstract syntax of the invariant language and its one JSON form.

    Six kinds of node, each frozen. Positions (line, column) ride along for messages and are no part of equality
    or of the JSON form, so the same rule written on two lines is the same rule.
    """

    from dataclasses import dataclass, field
    from fractions import Fraction
    from typing import Any
    from steward_parts.kernel.errors import BadInput

    Position = tuple[int, int]
    FOLDS = ("all", "any", "count", "sum", "min", "max")
    CALLS = ("min", "max", "abs", "floor", "matches")
    COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
    CONNECTIVES = ("and", "or", "implies")
    UNARY = ("-", "not")
    BINARY = (*COMPARISONS, *CONNECTIVES, "in", "+", "-", "*", "/")


    @dataclass(frozen=True, slots=True)
    class Literal:
        """`kind`: bool, number, text, duration (seconds) or a currency code (minor units)."""

        kind: str
        value: bool | Fraction | str
        at: Position = field(default=(1, 1), compare=False)


    @dataclass(frozen=True, slots=True)
    class Reference:
        """A dotted name: a fact, `action.x`, `principal.x`, `now`, or a bound variable and its field."""

        name: str
        at: Position = field(default=(1, 1), compare=False)


    @dataclass(frozen=True, slots=True)
    class Apply:
        """An operator or function on its arguments: `BINARY`, `UNARY`, `CALLS`."""

        op: str
        args: tuple[Node, ...]
        at: Position = field(default=(1, 1), compare=False)


    @dataclass(frozen=True, slots=True)
    class Choose:
        """if condition then yes else no."""

        condition: Node
        yes: Node
        no: Node
        at: Position = field(default=(1, 1), compare=False)


    @dataclass(frozen=True, slots=True)
    class Fold:
        """`op(variable in source: body)` over a finite list or set."""

        op: str
        variable: str
        source: Node
        body: Node
        at: Position = field(default=(1, 1), compare=False)


    @dataclass(frozen=True, slots=True)
    class Braces:
        """A set written out: {"a", "b"}."""

        items: tuple[Node, ...]
        at: Position = field(default=(1, 1), compare=False)


    Node = Literal | Reference | Apply | Choose | Fold | Braces


    def children(node: Node) -> tuple[Node, ...]:
        match node:
            case Literal() | Reference():
                return ()
            case Apply():
                return node.args
            case Choose():
                return node.condition, node.yes, node.no
            case Fold():
                return node.source, node.body
            case Braces():
                return node.items


    def to_json(node: Node) -> Any:
        """Canonical JSON of a formula: what the catalog digest covers."""
        match node:
            case Literal(kind="number" | "duration"):
                return ["literal", node.kind, str(node.value)]
            case Literal(value=Fraction()):
                return ["literal", node.kind, str(node.value)]
            case Literal():
                return ["literal", node.kind, node.value]
            case Reference():
                return ["reference", node.name]
            case Apply():
                return ["apply", node.op, *(to_json(arg) for arg in node.args)]
            case Choose():
                return ["choose", to_json(node.condition), to_json(node.yes), to_json(node.no)]
            case Fold():
                return ["fold", node.op, node.variable, to_json(node.source), to_json(node.body)]
            case Braces():
                return ["braces", *(to_json(item) for item in node.items)]


    def from_json(value: Any) -> Node:
        """The formula whose JSON form is `value`; `BadInput` if there is none."""
        match value:
            case ["literal", "bool", bool(flag)]:
                return Literal("bool", flag)
            case ["literal", "text", str(text)]:
                return Literal("text", text)
            case ["literal", str(kind), str(text)]:
                return Literal(kind, Fraction(text))
            case ["reference", str(name)]:
                return Reference(name)
            case ["apply", str(op), *args] if op in (*BINARY, *UNARY, *CALLS):
                return Apply(op, tuple(from_json(arg) for arg in args))
            case ["choose", condition, yes, no]:
                return Choose(from_json(condition), from_json(yes), from_json(no))
            case ["fold", str(op), str(variable), source, body] if op in FOLDS:
                return Fold(op, variable, from_json(source), from_json(body))
            case ["braces", *items]:
                return Braces(tuple(from_json(item) for item in items))
            case _:
                raise BadInput("not the JSON form of a formula")

    return locals()


@_part("steward_parts.verifier.core.types")
def _():
    """The types of the invariant language, and how the catalog writes them.

    A type is what a value measures, so that pounds cannot be added to a count and a time cannot be compared with
    a duration. `int` is a decimal that happens to be whole; an `enum` is text of which every word is known.
    """

    import re
    from dataclasses import dataclass
    from typing import Any, cast
    from steward_parts.kernel.errors import BadInput

    SCALARS = ("bool", "int", "decimal", "text", "money", "time", "duration")
    NUMERIC = ("int", "decimal", "money", "duration")
    _SHAPE = "write one of bool int decimal text money time duration, enum: [..], set: TYPE or list: {field: TYPE}"
    _DEPTH_MAX = 6


    @dataclass(frozen=True, slots=True)
    class Type:
        """`currency` only for money literals, `words` for enum, `item` for set and list, `fields` for records."""

        name: str
        currency: str = ""
        words: tuple[str, ...] = ()
        item: Type | None = None
        fields: tuple[tuple[str, Type], ...] = ()

        def __str__(self) -> str:
            if self.name == "enum":
                return "enum{" + ", ".join(self.words) + "}"
            if self.name == "record":
                return "{" + ", ".join(f"{name}: {kind}" for name, kind in self.fields) + "}"
            if self.item is not None:
                inner = str(self.item)
                return f"{self.name}{inner}" if self.item.name == "record" else f"{self.name}{{{inner}}}"
            return f"money in {self.currency}" if self.currency else self.name

        def field(self, name: str) -> Type | None:
            return dict(self.fields).get(name)


    BOOL, INT, DECIMAL, TEXT, MONEY, TIME, DURATION = (Type(name) for name in SCALARS)


    def _record(spec: dict[Any, Any], where: str, depth: int) -> Type:
        if not spec or not all(isinstance(name, str) and name.isidentifier() for name in spec):
            raise BadInput("a list needs named fields", where=where, fix=_SHAPE)
        fields = tuple((str(name), read_type(kind, f"{where}.{name}", depth + 1)) for name, kind in spec.items())
        return Type("record", fields=fields)


    def _built(head: str, body: Any, where: str, depth: int) -> Type:
        if head == "enum":
            words = cast("list[Any]", body) if isinstance(body, list) else []
            if not words or not all(isinstance(word, str) for word in words) or len(set(words)) < len(words):
                raise BadInput("an enum needs distinct words", where=where, fix="quote words such as yes, no, on, off")
            return Type("enum", words=tuple(words))
        if head == "set":
            item = read_type(body, where, depth + 1)
            if item.item is not None:
                raise BadInput("a set holds single values", where=where, fix=_SHAPE)
            return Type("set", item=item)
        if isinstance(body, dict):
            return Type("list", item=_record(cast("dict[Any, Any]", body), where, depth))
        return Type("list", item=read_type(body, where, depth + 1))


    def _from_text(spec: str, where: str, depth: int) -> Type:
        if spec in SCALARS:
            return Type(spec)
        match = re.fullmatch(r"\s*(enum|set|list)\s*\{(.*)\}\s*", spec, re.DOTALL)
        if match is None:
            raise BadInput(f"{spec!r} is not a type", where=where, fix=_SHAPE)
        head, body = match[1], match[2].strip()
        parts = [part.strip() for part in re.split(r",(?![^{]*\})", body)]
        if head == "enum":
            return _built("enum", [part.strip("\"'") for part in parts], where, depth)
        if head == "list" and all(re.match(r"\w+\s*:?\s*\w", part) and " " in part.replace(":", " ") for part in parts):
            pairs = [re.split(r"\s*:\s*|\s+", part, maxsplit=1) for part in parts]
            return _built("list", {pair[0]: pair[1] for pair in pairs}, where, depth)
        return _built(head, body, where, depth)


    def read_type(spec: Any, where: str = "", depth: int = 0) -> Type:
        """A type as YAML writes it: `money`, `enum{a, b}`, `{set: text}`, `{list: {sku: text}}`; else `BadInput`."""
        if depth > _DEPTH_MAX:
            raise BadInput("a type nested too deep", where=where)
        if isinstance(spec, str):
            return _from_text(spec.strip(), where, depth)
        if isinstance(spec, dict):
            pairs = list(cast("dict[Any, Any]", spec).items())
            if len(pairs) == 1 and pairs[0][0] in ("enum", "set", "list"):
                return _built(pairs[0][0], pairs[0][1], where, depth)
        raise BadInput(f"{spec!r} is not a type", where=where, fix=_SHAPE)


    def type_json(kind: Type) -> Any:
        """The one JSON form of a type, for the catalog digest."""
        if kind.name == "enum":
            return {"enum": list(kind.words)}
        if kind.name == "record":
            return {name: type_json(item) for name, item in kind.fields}
        if kind.item is not None:
            return {kind.name: type_json(kind.item)}
        return kind.name

    return locals()


@_part("steward_parts.verifier.core.formula")
def _():
    """Reads formulas: a small total language, exact and typed, without loops, floats or null.

        formula    = "if" formula "then" formula "else" formula | implied
        implied    = or { "implies" implied }                       (to the right)
        or         = and { "or" and }          and = not { "and" not }
        not        = "not" not | comparison
        comparison = sum [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" | ["not"] "in" ) sum ]    (no chains)
        sum        = product { ("+" | "-") product }
        product    = sign { ("*" | "/") sign }         sign = "-" sign | atom
        atom       = literal | name | "(" formula ")" | "{" [formula {"," formula}] "}"
                   | ("all"|"any"|"count"|"sum"|"min"|"max") "(" NAME "in" sum ":" formula ")"
                   | ("min"|"max"|"abs"|"floor"|"matches") "(" formula {"," formula} ")"
        literal    = 12 | 0.5 | 24h | 30d | GBP 12.50 | "text" | true | false

    Descends by hand, because messages to the business owner are the point: each names line, column and a way out.
    """

    from steward_parts.kernel.errors import BadInput
    from steward_parts.verifier.core.syntax import Position

    SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

    def fault(what: str, at: Position, fix: str = "") -> BadInput:
        return BadInput(what, where=f"line {at[0]}, column {at[1]}", fix=fix)

    return locals()


@_part("steward_parts.verifier.core.polynomials")
def _():
    """Polynomials with rational coefficients, and formulas over them as the checker reads them.

    A polynomial maps a monomial (its variables in order, repeated for powers) to its coefficient. A formula is
    the checker's JSON: [">=", p], [">", p], ["=", p] against zero, ["and", ...], ["or", ...]; no parts is true,
    or false.
    """

    from fractions import Fraction
    from typing import Any, cast

    Poly = dict[tuple[str, ...], Fraction]
    Formula = list[Any]

    TRUE: Formula = ["and"]
    FALSE: Formula = ["or"]


    def exact(value: Fraction | int) -> Fraction:
        """A whole number as an integer: equal, and ten times faster to add and multiply. Nothing is divided here, so no
        float can come of it, and what is read from JSON (as provers do) are fractions again.
        """
        return cast("Fraction", value.numerator if value.denominator == 1 else value)


    _ZERO, _ONE = exact(0), exact(1)
    _UNIT: Poly = {(): _ONE}


    def constant(value: Fraction | int) -> Poly:
        return {(): exact(value)} if value != 0 else {}


    def variable(name: str) -> Poly:
        return {(name,): _ONE}


    def plus(left: Poly, right: Poly, factor: Fraction | int = 1) -> Poly:
        """The sum left + factor * right."""
        result = dict(left)
        for monomial, value in right.items():
            found = result.get(monomial, _ZERO) + factor * value
            if found:
                result[monomial] = found
            else:
                result.pop(monomial, None)
        return result


    def times(left: Poly, right: Poly) -> Poly:
        if _UNIT in (left, right):
            return right if left == _UNIT else left
        result: Poly = {}
        for a, x in left.items():
            for b, y in right.items():
                monomial = tuple(sorted(a + b))
                result[monomial] = result.get(monomial, _ZERO) + x * y
        return {monomial: value for monomial, value in result.items() if value}


    def scaled(poly: Poly, factor: Fraction | int) -> Poly:
        return {monomial: value * factor for monomial, value in poly.items()} if factor else {}


    def constant_of(poly: Poly) -> Fraction | None:
        """The value of a polynomial without variables, else None."""
        if not poly:
            return Fraction(0)
        return poly[()] if len(poly) == 1 and () in poly else None


    def value_at(poly: Poly, point: dict[str, Fraction]) -> Fraction:
        total = Fraction(0)
        for monomial, value in poly.items():
            for name in monomial:
                value *= point[name]  # noqa: PLW2901 - the running product of one term
            total += value
        return total


    def to_json(poly: Poly) -> list[list[str]]:
        """The one JSON form: terms in ascending order of monomials, coefficients in lowest terms."""
        return [[str(poly[monomial]), *monomial] for monomial in sorted(poly)]


    def from_json(terms: list[list[str]]) -> Poly:
        return {tuple(term[1:]): Fraction(term[0]) for term in terms}


    def holds(op: str, value: Fraction) -> bool:
        return value >= 0 if op == ">=" else value > 0 if op == ">" else value == 0


    def atom(op: str, poly: Poly) -> Formula:
        """`poly` against zero; decided at once when it has no variables."""
        value = constant_of(poly)
        if value is None:
            return [op, to_json(poly)]
        return TRUE if holds(op, value) else FALSE


    def _joined(word: str, parts: list[Formula]) -> Formula:
        """and/or without its neutral parts, flattened; its absorbing element absorbs."""
        absorbing = FALSE if word == "and" else TRUE
        if len(parts) == 2 and (parts[0] == [word] or parts[1] == [word]):  # the neutral one: nearly always
            return parts[1] if parts[0] == [word] else parts[0]
        found: list[Formula] = []
        for part in parts:
            if part == absorbing:
                return absorbing
            for one in part[1:] if part[0] == word else [part]:
                if one not in found:
                    found.append(one)
        return found[0] if len(found) == 1 else [word, *found]


    def both(*parts: Formula) -> Formula:
        return _joined("and", list(parts))


    def either(*parts: Formula) -> Formula:
        return _joined("or", list(parts))


    def negated(formula: Formula) -> Formula:
        word = formula[0]
        if word in ("and", "or"):
            parts = [negated(part) for part in formula[1:]]
            return either(*parts) if word == "and" else both(*parts)
        poly = from_json(formula[1])
        if word == "=":
            return either(atom(">", poly), atom(">", scaled(poly, -1)))
        return atom(">" if word == ">=" else ">=", scaled(poly, -1))


    def true_at(formula: Formula, point: dict[str, Fraction]) -> bool:
        """Whether a formula holds at a point that gives every variable a value."""
        if formula[0] == "and":
            return all(true_at(part, point) for part in formula[1:])
        if formula[0] == "or":
            return any(true_at(part, point) for part in formula[1:])
        return holds(formula[0], value_at(from_json(formula[1]), point))


    def size(formula: Formula) -> int:
        return 1 + sum(size(part) for part in formula[1:]) if formula[0] in ("and", "or") else 1 + len(formula[1])

    return locals()


@_part("steward_parts.verifier.core.values")
def _():
    """Exact values: how JSON facts and parameters become numbers, money and text, and are shown again.

    Numbers are exact: whole ones Python's integers, others Fractions (the annotations say Fraction for both), and nothing
    divides an integer but through Fraction. Money is an exact number of minor units; a zero whose currency nobody knows
    (the sum of an empty list) fits every currency. Times are seconds since 1970 UTC, durations seconds. Null is never a
    value.
    """

    import re
    from dataclasses import dataclass
    from datetime import UTC, datetime, timedelta
    from fractions import Fraction
    from typing import Any, cast
    from steward_parts.kernel.errors import BadInput
    from steward_parts.kernel.instants import format_instant, parse_instant
    from steward_parts.kernel.money import Money, exponent, is_currency
    from steward_parts.verifier.core.formula import SECONDS
    from steward_parts.verifier.core.polynomials import exact
    from steward_parts.verifier.core.types import NUMERIC, Type

    ITEMS_MAX = 1_000
    TEXT_MAX = 100_000
    _MOST = 10**40
    _ZERO = exact(0)
    _DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40}|/[0-9]{1,40})?")
    _DURATION = re.compile(r"(-?)((?:[0-9]{1,12}[smhdw])+)")
    _ISO_DURATION = re.compile(r"(-?)P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?")
    _EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


    @dataclass(frozen=True, slots=True)
    class Amount:
        """Minor units, exact; `currency` is empty only for a zero that fits any."""

        minor: Fraction
        currency: str


    @dataclass(frozen=True, slots=True)
    class Uncertain:
        """A fact known only within bounds, or as the sum of any subset of `parts` (what is in flight)."""

        kind: Type
        low: Fraction
        high: Fraction
        parts: tuple[Fraction, ...] = ()
        currency: str = ""
        is_subset: bool = False


    Value = Any
    """bool, an exact number, str, Amount, tuple (list of dict or scalar), frozenset, or Uncertain."""


    def _wrong(value: Any, kind: Type) -> BadInput:
        shown = "null is never a value" if value is None else f"{str(value)[:60]!r} is not {kind}"
        return BadInput(shown)


    def _duration(text: str) -> Fraction | None:
        if match := _DURATION.fullmatch(text):
            total = sum(int(part[:-1]) * SECONDS[part[-1]] for part in re.findall(r"[0-9]+[smhdw]", match[2]))
        elif (match := _ISO_DURATION.fullmatch(text)) and any(match.groups()[1:]):
            total = sum(int(part or 0) * SECONDS[unit] for part, unit in zip(match.groups()[1:], "wdhms", strict=True))
        else:
            return None
        return exact(-total if match[1] else total)


    def _number(value: Any, kind: Type) -> Fraction:
        if type(value) is int and -_MOST < value < _MOST:
            return exact(value)
        if kind.name == "decimal" and isinstance(value, str) and _DECIMAL.fullmatch(value):
            parts = value.split("/")
            if len(parts) == 1 or int(parts[1]) != 0:
                return exact(Fraction(value))
        raise _wrong(value, kind)


    def _amount(value: Any, kind: Type) -> Amount:
        if isinstance(value, dict):
            entry = cast("dict[str, Any]", value)
            minor, currency = entry.get("amount_minor"), entry.get("currency")
            known = type(minor) is int and -_MOST < minor < _MOST and isinstance(currency, str) and is_currency(currency)
            if len(entry) == 2 and known:
                return Amount(cast("Fraction", minor), cast("str", currency))
        raise _wrong(value, kind)


    def _time(value: Any, kind: Type) -> Fraction:
        if not isinstance(value, str):
            raise _wrong(value, kind)
        try:
            elapsed = parse_instant(value) - _EPOCH
        except OverflowError:
            raise _wrong(value, kind) from None
        return exact(Fraction(elapsed // timedelta(microseconds=1), 1_000_000))


    def _many(value: Any, kind: Type) -> Value:
        if not isinstance(value, list | tuple):
            raise _wrong(value, kind)
        entries = cast("list[Any]", value)
        if len(entries) > ITEMS_MAX:
            raise BadInput(f"more than {ITEMS_MAX} items")
        item = cast("Type", kind.item)
        found: list[Value] = []
        for index, entry in enumerate(entries):
            try:
                found.append(read_value(entry, item))
            except BadInput as error:
                raise BadInput(f"item {index}: {error.what}") from None
        return frozenset(found) if kind.name == "set" else tuple(found)


    def _record(value: Any, kind: Type) -> dict[str, Value]:
        if not isinstance(value, dict):
            raise _wrong(value, kind)
        entry = cast("dict[str, Any]", value)
        found: dict[str, Value] = {}
        for name, field in kind.fields:
            if name not in entry:
                raise BadInput(f"{name} is missing")
            try:
                found[name] = read_value(entry[name], field)
            except BadInput as error:
                raise BadInput(f"{name}: {error.what}") from None
        return found


    def read_value(value: Any, kind: Type) -> Value:
        """The exact value of JSON `value` as `kind`; `BadInput` for null, a float, or another type."""
        match kind.name:
            case "bool" if isinstance(value, bool):
                return value
            case "int" | "decimal":
                return _number(value, kind)
            case "text" | "enum" if isinstance(value, str) and len(value) <= TEXT_MAX:
                if kind.name == "enum" and value not in kind.words:
                    raise _wrong(value, kind)
                return value
            case "money":
                return _amount(value, kind)
            case "time":
                return _time(value, kind)
            case "duration" if isinstance(value, str) and (seconds := _duration(value)) is not None:
                return seconds
            case "list" | "set":
                return _many(value, kind)
            case "record":
                return _record(value, kind)
            case _:
                raise _wrong(value, kind)


    def _magnitude(value: Value) -> tuple[Fraction, str]:
        return (value.minor, value.currency) if isinstance(value, Amount) else (value, "")


    def read_fact(value: Any, kind: Type) -> Value:
        """Like `read_value`, and `Uncertain` for {"low", "high"} and {"any_subset_of"} of a numeric type."""
        if not isinstance(value, dict) or kind.name not in NUMERIC:
            return read_value(value, kind)
        entry = cast("dict[str, Any]", value)
        if set(entry) == {"low", "high"}:
            (low, unit), (high, other) = (_magnitude(read_value(entry[end], kind)) for end in ("low", "high"))
            if unit != other or low > high:
                raise BadInput("an interval needs low <= high in one currency")
            return read_value(entry["low"], kind) if low == high else Uncertain(kind, low, high, currency=unit)
        if set(entry) == {"any_subset_of"} and isinstance(entry["any_subset_of"], list):
            read = [_magnitude(part) for part in _many(entry["any_subset_of"], Type("list", item=kind))]
            units = {unit for _, unit in read}
            if len(units) > 1:
                raise BadInput("a subset of amounts in different currencies has no sum")
            parts = tuple(part for part, _ in read if part != 0)
            low = sum((part for part in parts if part < 0), _ZERO)
            high = sum((part for part in parts if part > 0), _ZERO)
            unit = next(iter(units), "")
            if not parts:
                return Amount(_ZERO, unit) if kind.name == "money" else _ZERO
            return Uncertain(kind, low, high, parts, unit, is_subset=True)
        return read_value(value, kind)


    def certain(fact: Uncertain, value: Fraction) -> Value:
        """The ground value of an uncertain fact that turned out to be `value`."""
        return Amount(value, fact.currency) if fact.kind.name == "money" else value


    def plain_number(value: Fraction) -> str:
        """A ratio as JSON text: "0.15" where that is exact within 12 places, else "3/20"."""
        scaled = value * 10**12
        if scaled.denominator != 1:
            return str(value)
        digits = str(abs(int(scaled))).rjust(13, "0")
        text = f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")
        return f"-{text}" if value < 0 else text


    def duration_text(seconds: Fraction) -> str:
        if seconds.denominator != 1:
            return f"{plain_number(seconds)}s"
        whole = abs(int(seconds))
        unit = next(u for u in "dhms" if whole % SECONDS[u] == 0)
        return f"{'-' if seconds < 0 else ''}{whole // SECONDS[unit]}{unit}"


    def instant_text(seconds: Fraction) -> str:
        return format_instant(_EPOCH + timedelta(microseconds=int(seconds * 1_000_000)))


    def value_json(value: Value, kind: Type) -> Any:
        """The JSON form of an exact value, the inverse of `read_value` for whole amounts."""
        match kind.name:
            case "int" | "decimal":
                return int(value) if kind.name == "int" and value.denominator == 1 else plain_number(value)
            case "money":
                minor = int(value.minor) if value.minor.denominator == 1 else plain_number(value.minor)
                return {"amount_minor": minor, "currency": value.currency}
            case "time":
                return instant_text(value)
            case "duration":
                return duration_text(value)
            case "set":
                return sorted((value_json(item, cast("Type", kind.item)) for item in value), key=str)
            case "list":
                return [value_json(item, cast("Type", kind.item)) for item in value]
            case "record":
                return {name: value_json(value[name], field) for name, field in kind.fields}
            case _:
                return value


    def value_text(value: Value, kind: Type) -> str:
        """The value as a person reads it: GBP 55.00, 24h, 0.15."""
        if kind.name == "money" and not isinstance(value, Amount):
            return plain_number(value)  # the sum of an empty list of money has no currency
        if kind.name == "money":
            amount = value
            if amount.minor.denominator == 1 and amount.currency:
                return str(Money(int(amount.minor), amount.currency))
            major = plain_number(Fraction(amount.minor) / 10 ** exponent(amount.currency))
            return f"{amount.currency} {major}".strip()
        shown = value_json(value, kind)
        if kind.name in ("set", "list", "record"):
            return str(shown)
        return f'"{shown}"' if kind.name in ("text", "enum") else str(shown).lower() if kind.name == "bool" else str(shown)

    return locals()


@_part("steward_parts.offline.wording", "steward_parts.verifier.core.patterns")
def _():
    """Text patterns offline: run again where a plain pattern allows it, else both answers are tried and that is said.

    The system matches by RE2, which no standard library has. A pattern without repetition means the same to Python's `re`
    and cannot be slow there, so it is run. Any other is recorded by its digest and that of the text.
    """

    import hashlib
    import re
    import unicodedata

    _LETTER = r"[A-Za-z0-9 ,'_/!@#%&=:;\"-]"
    _ESCAPE = r"\\[bBdw.+*()?$|-]"
    _CLASS = r"\[[A-Za-z0-9 _-]+\]"
    _PLAIN = re.compile(rf"(?:{_LETTER}|{_ESCAPE}|{_CLASS}|\(\?:|\((?!\?)|[)|^$]|(?<=[A-Za-z0-9\])])\?(?!\?))*")
    TRIES_MAX = 64
    Asked = tuple[str, str]
    """SHA-256 of a pattern and of the text it was asked of."""


    def normalised(text: str) -> str:
        """NFKC, casefold, and no format characters, as the system normalises text before it matches."""
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")


    class Wording:
        """What was asked of text: how often it was run again, and the answers taken where it could not be."""

        def __init__(self) -> None:
            self.rerun = 0
            self.answers: dict[Asked, bool] = {}
            self.asked: list[Asked] = []

        def start(self, answers: dict[Asked, bool]) -> None:
            """Before a rule is evaluated: the answers to give; what is asked beyond them is no, and is listed."""
            self.answers, self.asked = answers, []

        def matches(self, text: str, pattern: str) -> bool:
            if _PLAIN.fullmatch(pattern):
                self.rerun += 1
                ours = pattern.replace("\\$", "\0").replace("$", "\\Z").replace("\0", "\\$")
                return re.search(ours, normalised(text), re.IGNORECASE | re.ASCII) is not None
            key = (hashlib.sha256(pattern.encode()).hexdigest(), hashlib.sha256(text.encode()).hexdigest())
            self.asked.append(key)
            return self.answers.get(key, False)


    WORDING = Wording()


    def compiled(pattern: str) -> str:
        """Whether a pattern is RE2 was settled when the catalog was read; here it is only text."""
        return pattern


    def matches(text: str, pattern: str) -> bool:
        return WORDING.matches(text, pattern)

    return locals()


@_part("steward_parts.verifier.core.units")
def _():
    """The static check: what type a formula has, before any fact is read.

    Every rule that passes can be evaluated on every set of facts without a type error; what remains at run time
    (division by zero, two currencies, the least of an empty list) is undefined, never an exception.
    """

    import difflib
    from dataclasses import replace
    from steward_parts.kernel.errors import BadInput
    from steward_parts.verifier.core.formula import fault
    from steward_parts.verifier.core.patterns import compiled
    from steward_parts.verifier.core.syntax import COMPARISONS, CONNECTIVES, Apply, Braces, Choose, Fold, Literal, Node, Reference, children
    from steward_parts.verifier.core.types import BOOL, DECIMAL, DURATION, INT, MONEY, NUMERIC, TEXT, TIME, Type

    _OF = {
        **dict.fromkeys(("sum", "abs", "floor"), "it is for numbers, money and durations"),
        **dict.fromkeys(("min", "max"), "it is for numbers, money, durations and times"),
    }

    Scope = dict[str, Type]
    _NUMBERS = ("int", "decimal")
    _WORDS = ("text", "enum")
    _NULL = "there is no null: a fact that is missing escalates by itself"
    _ELSEWHERE = {
        "true": "write true",
        "false": "write false",
        **dict.fromkeys(("null", "none", "nil", "undefined"), _NULL),
    }


    def lookup(node: Reference, scope: Scope) -> Type:
        """The type of a name: a bound variable or its field, else a fact or parameter; suggests for a typo."""
        if node.name in scope:
            return scope[node.name]
        head, _, rest = node.name.partition(".")
        if head in scope and rest and scope[head].name == "record":
            found = scope[head].field(rest)
            if found is not None:
                return found
            near = difflib.get_close_matches(rest, [name for name, _ in scope[head].fields], 1)
            known = ", ".join(name for name, _ in scope[head].fields)
            raise fault(
                f"{head} has no field {rest}",
                node.at,
                f"did you mean {head}.{near[0]}?" if near else f"it has {known}",
            )
        raise fault(f"{node.name} is not declared", node.at, _meant(node.name, scope))


    def _meant(name: str, scope: Scope) -> str:
        """What the author of a name nobody declared most likely wanted to write."""
        if name.lower() in _ELSEWHERE:
            return _ELSEWHERE[name.lower()]
        if any(name in kind.words for kind in scope.values()):
            return f'a word stands in quotes: write "{name}"'
        head, _, field = name.rpartition(".")
        kind = scope.get(head)
        if kind is not None and kind.item is not None:
            return f"{head} is a {kind.name}: write all(x in {head}: ...) or any(x in {head}: ...), and x.{field} inside"
        near = difflib.get_close_matches(name, list(scope), 1, 0.5)
        return f"did you mean {near[0]}?" if near else "declare it under facts, or as a parameter of the kind"


    def _joined(left: Type, right: Type) -> Type | None:
        """The type both sides have in common, or None: the one place that says what can stand beside what."""
        if left.name in _NUMBERS and right.name in _NUMBERS:
            return INT if left.name == right.name == "int" else DECIMAL
        if left.name == right.name == "money":
            if left.currency and right.currency and left.currency != right.currency:
                return None
            return replace(MONEY, currency=left.currency or right.currency)
        if left.name in _WORDS and right.name in _WORDS:
            return left if left == right else TEXT
        if left.name == right.name and left.name in ("bool", "time", "duration"):
            return left
        return left if left == right and left.name in ("set", "list") else None


    def _is_zero(node: Node) -> bool:
        return isinstance(node, Literal) and node.kind == "number" and node.value == 0


    def _compare(node: Apply, left: Type, right: Type) -> Type:
        """Types two sides may be compared at. A literal 0 is a zero of every unit."""
        first, second = node.args
        if (_is_zero(first) and right.name in ("money", "duration")) or (
            _is_zero(second) and left.name in ("money", "duration")
        ):
            return BOOL
        joined = _joined(left, right)
        if joined is None or (node.op not in ("=", "!=") and joined.name not in (*NUMERIC, "time")):
            raise fault(f"{left} {node.op} {right} cannot be compared", node.at, _not_compared(left, right))
        for one, other in ((first, right), (second, left)):
            _check_word(one, other)
        return BOOL


    def _not_compared(left: Type, right: Type) -> str:
        """How the sides of a comparison could come to be alike."""
        names = {left.name, right.name}
        if names == {"money"}:
            return "amounts in two currencies have no order: compare amounts in one"
        if "time" in names and names & {"text", *_NUMBERS}:
            return "a time is a fact of type time, or now, or counted from one: now - 30d"
        if len(names & {"money", "duration", "time"}) == 2:
            return "compare like with like: money with money, time with time, now - TIME with a duration"
        if "duration" in names:
            return "write a duration as 24h or 30d"
        if "money" in names:
            return "write money as GBP 12.50"
        if "bool" in names:
            return "what is true or false stands alone: write x, or not x"
        if names <= {*_WORDS}:
            return "text has no order: use =, !=, in or matches"
        return "both sides need one type"


    def _check_word(node: Node, kind: Type) -> None:
        if kind.name == "enum" and isinstance(node, Literal) and node.value not in kind.words:
            near = difflib.get_close_matches(str(node.value), kind.words, 1)
            fix = f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(kind.words)}"
            raise fault(f"{node.value!r} is no word of {kind}", node.at, fix)


    def _arithmetic(node: Apply, left: Type, right: Type) -> Type:
        names = (left.name, right.name)
        if node.op in ("+", "-"):
            if names == ("time", "duration") or (names == ("duration", "time") and node.op == "+"):
                return TIME
            if names == ("time", "time") and node.op == "-":
                return DURATION
            joined = _joined(left, right)
            if joined is not None and joined.name in NUMERIC:
                return joined
        elif node.op == "*":
            if left.name in _NUMBERS and right.name in NUMERIC:
                return right if right.name not in _NUMBERS else _numbers(left, right)
            if left.name in NUMERIC and right.name in _NUMBERS:
                return left
        else:
            if left.name in NUMERIC and right.name in _NUMBERS:
                return left if left.name not in _NUMBERS else DECIMAL
            joined = _joined(left, right)
            if joined is not None and joined.name in NUMERIC:
                return DECIMAL
        raise fault(f"{left} {node.op} {right} means nothing", node.at, _not_reckoned(node.op, set(names)))


    def _not_reckoned(op: str, names: set[str]) -> str:
        """What there is instead of an operation that means nothing."""
        if names & {*_WORDS, "bool", "set", "list", "record"}:
            return "only numbers, money, durations and times are reckoned with"
        if "time" in names:
            return "time - time is a duration, and time + or - a duration such as 24h is a time"
        if names == {"money"}:
            one = "amounts in two currencies have no sum and no ratio"
            return "a number scales an amount, and an amount by an amount is no unit" if op == "*" else one
        return "units must agree: money with money, written GBP 12.50; a number scales"


    def _numbers(left: Type, right: Type) -> Type:
        return INT if left.name == right.name == "int" else DECIMAL


    def _is_in(node: Apply, left: Type, right: Type) -> Type:
        if right.name not in ("set", "list") or right.item is None:
            fix = 'write x in {"a", "b"}'
            raise fault(f"in needs a set, not {right}", node.at, f"{fix}, or matches" if right.name == "text" else fix)
        if right.item.name != "record" and (right.item == left or _joined(left, right.item) is not None):
            _check_word(node.args[0], right.item)
            if isinstance(node.args[1], Braces):
                for item in node.args[1].items:
                    _check_word(item, left)
            return BOOL
        a_list = f"write any(x in LIST: ...) for a list of {right.item}"
        fix = a_list if right.item.name == "record" else f"it holds {right.item}"
        raise fault(f"{left} in {right} means nothing", node.at, fix)


    def _call(node: Apply, types: list[Type]) -> Type:
        if node.op == "matches":
            pattern = node.args[1]
            if types[0].name not in _WORDS or not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
                fix = 'write matches(action.text, "^[a-z]+$"): the pattern is no fact'
                raise fault("matches takes text and a pattern written out", node.at, fix)
            try:
                compiled(pattern.value)
            except BadInput as error:
                raise fault(error.what, pattern.at, "RE2 syntax: no look-around, no back-references") from None
            return BOOL
        joined = types[0]
        for kind in types[1:]:
            found = _joined(joined, kind)
            if found is None:
                raise fault(f"{node.op} of {joined} and {kind} means nothing", node.at, "they need one type")
            joined = found
        if joined.name not in (*NUMERIC, "time") or (joined.name == "time" and node.op not in ("min", "max")):
            raise fault(f"{node.op} of {joined} means nothing", node.at, _OF[node.op])
        return INT if node.op == "floor" and joined.name == "decimal" else joined


    def _apply(node: Apply, scope: Scope) -> Type:
        types = [type_of(arg, scope) for arg in node.args]
        if node.op in CONNECTIVES or node.op == "not":
            for kind, arg in zip(types, node.args, strict=True):
                if kind != BOOL:
                    raise fault(f"{node.op} needs true or false, not {kind}", arg.at, "compare it with something")
            return BOOL
        if node.op == "-" and len(types) == 1:
            if types[0].name not in NUMERIC:
                raise fault(f"-{types[0]} means nothing", node.at, "only numbers, money and durations have a negative")
            return types[0]
        if node.op in COMPARISONS:
            return _compare(node, types[0], types[1])
        if node.op == "in":
            return _is_in(node, types[0], types[1])
        if node.op in ("+", "-", "*", "/"):
            return _arithmetic(node, types[0], types[1])
        return _call(node, types)


    def _fold(node: Fold, scope: Scope) -> Type:
        source = type_of(node.source, scope)
        if source.item is None or not isinstance(node.source, Reference):
            fix = "the list is a fact, such as order.lines" if source.item else "declare it as {list: {field: TYPE}}"
            raise fault(f"{node.op} goes over a list, not {source}", node.source.at, fix)
        inside = f"{node.variable}."
        if node.variable in scope or any(name.startswith(inside) for name in scope):
            raise fault(f"{node.variable} already has a meaning", node.at, "choose another variable")
        body = type_of(node.body, {**scope, node.variable: source.item})
        if node.op in ("all", "any", "count"):
            if body != BOOL:
                what, fix = f"{node.op} needs true or false after the colon, not {body}", "compare it with something"
                raise fault(what, node.body.at, fix)
            return INT if node.op == "count" else BOOL
        if body.name not in NUMERIC and not (body.name == "time" and node.op != "sum"):
            raise fault(f"{node.op} of {body} means nothing", node.body.at, _OF[node.op])
        return body


    def _braces(node: Braces, scope: Scope) -> Type:
        if not node.items:
            raise fault("a set needs an item", node.at, "what is in no set: write false")
        joined = type_of(node.items[0], scope)
        for item in node.items[1:]:
            kind = type_of(item, scope)
            found = _joined(joined, kind)
            if found is None:
                raise fault(f"the items of a set need one type: {joined} and {kind}", item.at, "write two sets")
            joined = found
        return Type("set", item=joined)


    def _literal(node: Literal) -> Type:
        if node.kind == "number":
            return INT if not isinstance(node.value, str) and node.value == int(node.value) else DECIMAL
        known = {"bool": BOOL, "text": TEXT, "duration": DURATION}
        return known.get(node.kind) or replace(MONEY, currency=node.kind)


    def type_of(node: Node, scope: Scope) -> Type:
        """The type of a formula; `BadInput` with line, column and a suggestion if it has none."""
        match node:
            case Literal():
                return _literal(node)
            case Reference():
                return lookup(node, scope)
            case Apply():
                return _apply(node, scope)
            case Choose():
                condition = type_of(node.condition, scope)
                if condition != BOOL:
                    what = f"a condition is true or false, not {condition}"
                    raise fault(what, node.condition.at, "compare it with something")
                yes, no = type_of(node.yes, scope), type_of(node.no, scope)
                joined = _joined(yes, no)
                if joined is None:
                    raise fault(f"then is {yes} and else is {no}", node.at, "they need one type")
                return joined
            case Fold():
                return _fold(node, scope)
            case Braces():
                return _braces(node, scope)


    def fits(node: Node, wanted: Type, scope: Scope) -> bool:
        """Whether a formula that has a type may be stored as `wanted`: a word as its enum, a zero as any unit's."""
        if isinstance(node, Choose):
            return fits(node.yes, wanted, scope) and fits(node.no, wanted, scope)
        if _is_zero(node) and wanted.name in ("money", "duration"):
            return True
        found = type_of(node, scope)
        if wanted.name == "enum" and isinstance(node, Literal):
            _check_word(node, wanted)
            return found == TEXT
        if found.name == "money" and wanted.name == "money":
            return True
        return found == wanted or (found.name, wanted.name) in (("int", "decimal"), ("enum", "text"))


    _KNOWN: dict[int, tuple[Node, frozenset[str]]] = {}
    _KNOWN_MAX = 4_096


    def reads(node: Node) -> frozenset[str]:
        """The names of facts and parameters a formula reads; worked out once for a formula that is asked about again."""
        known = _KNOWN.get(id(node))
        if known is None or known[0] is not node:
            if len(_KNOWN) >= _KNOWN_MAX:
                _KNOWN.clear()
            known = _KNOWN[id(node)] = (node, _reads(node, frozenset()))
        return known[1]


    def _reads(node: Node, bound: frozenset[str]) -> frozenset[str]:
        if isinstance(node, Reference):
            return frozenset() if node.name.partition(".")[0] in bound else frozenset({node.name})
        if isinstance(node, Fold):
            return _reads(node.source, bound) | _reads(node.body, bound | {node.variable})
        return frozenset[str]().union(*(_reads(child, bound) for child in children(node)))

    return locals()


@_part("steward_parts.verifier.core.rules")
def _():
    """What a catalog says, read: fact types and bounds, state rules, action kinds with their effects, invariants.
    """

    from dataclasses import dataclass, field
    from fractions import Fraction
    from typing import Any
    from steward_parts.verifier.core.syntax import Apply, Node
    from steward_parts.verifier.core.types import TEXT, TIME, Type
    from steward_parts.verifier.core.units import Scope, reads

    Bounds = tuple[Fraction | None, Fraction | None]
    """The least and the most a fact is ever (money in minor units, durations in seconds); None where it is open."""


    @dataclass(frozen=True, slots=True)
    class Invariant:
        """One rule. `rule` is `when implies require`, which must hold; `when` alone says if it is skipped."""

        id: str
        on: tuple[str, ...]
        when: Node | None
        require: Node
        otherwise: str
        why: str
        code: str = ""
        title: str = ""
        owner: str = ""
        severity: str = ""
        where: str = ""
        examples: tuple[dict[str, Any], ...] = field(default=(), compare=False)
        rule: Node = field(init=False, compare=False, repr=False)
        named: frozenset[str] = field(init=False, compare=False, repr=False)
        ordered: tuple[str, ...] = field(init=False, compare=False, repr=False)

        def __post_init__(self) -> None:
            rule = self.require if self.when is None else Apply("implies", (self.when, self.require))
            named = reads(rule)
            for name, value in (("rule", rule), ("named", named), ("ordered", tuple(sorted(named)))):
                object.__setattr__(self, name, value)

        def reads(self) -> frozenset[str]:
            return self.named


    @dataclass(frozen=True, slots=True)
    class State:
        """What must be true of the facts at all times, whatever was done."""

        id: str
        holds: Node
        why: str
        title: str = ""
        owner: str = ""
        where: str = ""

        def reads(self) -> frozenset[str]:
            return reads(self.holds)


    @dataclass(frozen=True, slots=True)
    class Plan:
        """What deciding an action of one kind needs of a catalog: `rules` that cover it, `states` its effect touches, every
        name they may read with its type, the names rules do read in order, and the facts among them.
        """

        rules: tuple[Invariant, ...]
        states: tuple[State, ...]
        scope: Scope
        wanted: tuple[str, ...]
        facts: tuple[str, ...]


    @dataclass(frozen=True, slots=True)
    class Catalog:
        """Facts by name, kinds with their parameters, rules by kind in catalog order, states and effects.

        `document` says the same as JSON, and `digest` is its SHA-256: whoever has it has the catalog.
        """

        facts: dict[str, Type]
        kinds: dict[str, dict[str, Type]]
        invariants: tuple[Invariant, ...]
        digest: str
        bounds: dict[str, Bounds] = field(default_factory=dict[str, Bounds])
        states: tuple[State, ...] = ()
        effects: dict[str, dict[str, Node]] = field(default_factory=dict[str, dict[str, Node]])
        witnesses: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
        document: dict[str, Any] = field(default_factory=dict[str, Any], compare=False)
        plans: dict[str, Plan] = field(init=False, default_factory=dict[str, Plan], compare=False, repr=False)

        def plan(self, kind: str) -> Plan:
            """What deciding actions of `kind` needs, worked out once."""
            found = self.plans.get(kind)
            if found is None:
                rules, changed = tuple(rule for rule in self.invariants if kind in rule.on), set(self.effects.get(kind, ()))
                states = tuple(state for state in self.states if state.reads() & changed)
                wanted = tuple(sorted(frozenset[str]().union(*(rule.named for rule in rules))))
                facts = tuple(name for name in wanted if name in self.facts)
                found = Plan(rules, states, self._scope(kind) if kind in self.kinds else {}, wanted, facts)
                if kind in self.kinds:
                    self.plans[kind] = found
            return found

        def covering(self, kind: str) -> tuple[Invariant, ...]:
            return self.plan(kind).rules

        def touched(self, kind: str) -> tuple[State, ...]:
            """The state rules that read a fact the kind's effect changes."""
            return self.plan(kind).states

        def scope(self, kind: str) -> Scope:
            """Every name a rule on `kind` may read, in a dictionary of the caller's own."""
            return dict(self.plan(kind).scope)

        def _scope(self, kind: str) -> Scope:
            named = {"action.kind": TEXT, "action.id": TEXT, "principal.id": TEXT, "now": TIME}
            named["principal.roles"] = Type("set", item=TEXT)
            return {**self.facts, **named, **{f"action.{name}": kind for name, kind in self.kinds[kind].items()}}

    return locals()


@_part("steward_parts.verifier.core.printer")
def _():
    """Writes a formula as text that reads back as the same formula: parse(show(node)) == node.
    """

    from fractions import Fraction
    from steward_parts.kernel.money import exponent
    from steward_parts.verifier.core.formula import SECONDS
    from steward_parts.verifier.core.syntax import COMPARISONS, Apply, Braces, Choose, Fold, Literal, Node, Reference

    _LEVEL = {
        "implies": 1,
        "or": 2,
        "and": 3,
        "not": 4,
        **dict.fromkeys((*COMPARISONS, "in"), 5),
        "+": 6,
        "-": 6,
        "*": 7,
        "/": 7,
    }
    _SIGN, _ATOM = 8, 9


    def _decimal(value: Fraction, places: int = 0) -> str:
        """A decimal in full, of at least `places` places; the language has no numbers without one."""
        while (value * 10**places).denominator != 1:
            places += 1
            if places > 400:
                raise ValueError(f"{value} has no finite decimal")
        digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
        return digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}"


    def _escaped(letter: str) -> str:
        if letter in '"\\':
            return "\\" + letter
        return letter if letter.isprintable() or ord(letter) > 0xFFFF else f"\\u{ord(letter):04x}"


    def _literal(node: Literal) -> str:
        if isinstance(node.value, bool):
            return "true" if node.value else "false"
        if isinstance(node.value, str):
            return '"' + "".join(_escaped(letter) for letter in node.value) + '"'
        if node.kind == "duration":
            unit = next(u for u in "wdhms" if int(node.value) % SECONDS[u] == 0)
            return f"{int(node.value) // SECONDS[unit]}{unit}"
        if node.kind == "number":
            return _decimal(node.value)
        places = exponent(node.kind)
        return f"{node.kind} {_decimal(node.value / 10**places, places)}"


    def _apply(node: Apply) -> tuple[str, int]:
        op, args = node.op, node.args
        if op == "not":
            return f"not {_at(args[0], 4)}", 4
        if op == "-" and len(args) == 1:
            return f"-{_at(args[0], _SIGN)}", _SIGN
        if op not in _LEVEL:
            return f"{op}({', '.join(show(arg) for arg in args)})", _ATOM
        level = _LEVEL[op]
        if op == "implies":
            return f"{_at(args[0], 2)} implies {_at(args[1], 1)}", 1
        left = level + 1 if level == 5 else level
        return f"{_at(args[0], left)} {op} {_at(args[1], level + 1)}", level


    def _parts(node: Node) -> tuple[str, int]:
        """Text and binding level: a part that binds less than its place asks for is put in parentheses."""
        match node:
            case Literal():
                return _literal(node), _ATOM
            case Reference():
                return node.name, _ATOM
            case Apply():
                return _apply(node)
            case Choose():
                return f"if {show(node.condition)} then {show(node.yes)} else {show(node.no)}", 0
            case Fold():
                return f"{node.op}({node.variable} in {_at(node.source, 6)}: {show(node.body)})", _ATOM
            case Braces():
                return "{" + ", ".join(show(item) for item in node.items) + "}", _ATOM


    def _at(node: Node, level: int) -> str:
        text, own = _parts(node)
        return text if own >= level else f"({text})"


    def show(node: Node) -> str:
        """The formula as text, with no parentheses but those it needs."""
        return _parts(node)[0]

    return locals()


@_part("steward_parts.verifier.core.evaluate")
def _():
    """Evaluates formulas exactly; what is undefined is false in both polarities, so `not` cannot allow it.

    Strong Kleene logic (Kleene 1952, section 64) inside: true, false, or None for undefined; a rule passes only
    when it is true. Undefined are division by zero, the least of an empty list, and two currencies in one sum.
    """

    import math
    import operator
    from collections.abc import Iterable, Iterator
    from fractions import Fraction
    from typing import Any, cast
    from steward_parts.verifier.core.patterns import matches
    from steward_parts.verifier.core.polynomials import exact
    from steward_parts.verifier.core.syntax import COMPARISONS, Apply, Braces, Choose, Fold, Literal, Node, Reference
    from steward_parts.verifier.core.values import Amount, Value

    STEPS_MAX = 300_000
    _ORDERED: dict[str, Any] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


    class Undefined(Exception):
        """A part of a formula without a value, and why."""


    class Undecided(Exception):
        """The rule is beyond a limit (steps, cases, shape), so neither allowed nor denied: a person decides."""


    def unit_of(*values: Value) -> str:
        """The one currency of some amounts; a zero without a currency takes part in any. `Undefined` for two."""
        found = ""
        for value in values:
            if isinstance(value, Amount) and value.currency and value.currency != found:
                if found:
                    units = {value.currency for value in values if isinstance(value, Amount) and value.currency}
                    raise Undefined(f"amounts in {' and '.join(sorted(units))}")
                found = value.currency
        return found


    def size_of(value: Value) -> Fraction:
        return value.minor if isinstance(value, Amount) else value


    def _like(size: Fraction, unit: str, *values: Value) -> Value:
        for value in values:
            if isinstance(value, Amount):
                return Amount(size, unit)
        return size


    def related(op: str, left: Value, right: Value) -> bool:
        """Whether the comparison holds. Numbers of two currencies raise `Undefined`."""
        unit_of(left, right)
        if op in ("=", "!="):
            return (size_of(left) == size_of(right)) == (op == "=")
        return _ORDERED[op](size_of(left), size_of(right))


    def arithmetic(op: str, left: Value, right: Value) -> Value:
        one, other = size_of(left), size_of(right)
        if op in ("+", "-"):
            return _like(one + other if op == "+" else one - other, unit_of(left, right), left, right)
        if op == "*":
            return _like(one * other, unit_of(left, right), left, right)
        unit = unit_of(left, right)
        if other == 0:
            raise Undefined("division by zero")
        both = isinstance(left, Amount) and isinstance(right, Amount)
        ratio = exact(Fraction(one) / other)
        return ratio if both else _like(ratio, unit, left)


    def extreme(op: str, values: Iterable[Value]) -> Value:
        found = list(values)
        if not found:
            raise Undefined(f"{op} of an empty list")
        unit = unit_of(*found)
        size = (min if op == "min" else max)(size_of(value) for value in found)
        return _like(size, unit, found[0])


    def total(values: Iterable[Value]) -> Value:
        """The sum; of no values a bare zero, which every operation takes for a zero of any unit."""
        found = list(values)
        return _like(sum(map(size_of, found), exact(0)), unit_of(*found), *found)


    def in_order(source: Value) -> list[Value]:
        """The elements of a list as they stand, those of a set sorted, so that answers are the same every time."""
        return sorted(source, key=str) if isinstance(source, frozenset) else list(source)  # pyright: ignore[reportUnknownArgumentType]


    def field_of(name: str, values: dict[str, Value]) -> Value:
        """The value of a dotted name: as it stands, else as a field of a bound record."""
        if name in values:
            return values[name]
        head, _, field = name.partition(".")
        return values[head][field]


    class Evaluator:
        """Evaluates over ground values by name. `reasons` collects why parts were undefined."""

        def __init__(self, values: dict[str, Value]) -> None:
            self.values = values
            self.reasons: list[str] = []
            self.steps = STEPS_MAX

        def truth(self, node: Node) -> bool | None:
            """True, false, or None where undefined."""
            self.steps -= 1
            if self.steps < 0:
                raise Undecided("more steps than a rule may take")
            match node:
                case Apply() if node.op in COMPARISONS:
                    return self.atom(node)
                case Apply(op="not"):
                    inner = self.truth(node.args[0])
                    return None if inner is None else not inner
                case Apply(op="and" | "or" | "implies"):
                    left = self.truth(node.args[0])
                    if node.op == "implies":
                        left = None if left is None else not left
                    wins = node.op != "and"
                    return wins if left is wins else _either(wins, iter((left, self.truth(node.args[1]))))
                case Fold(op="all" | "any"):
                    return _either(node.op == "any", self.each(node, self.truth))
                case Choose():
                    condition = self.truth(node.condition)
                    return None if condition is None else self.truth(node.yes if condition else node.no)
                case _:
                    return self.atom(node)

        def atom(self, node: Node) -> bool | None:
            try:
                return self.value(node)
            except Undefined as undefined:
                self.reasons.append(str(undefined))
                return None

        def each(self, node: Fold, function: Any) -> Iterator[Any]:
            """`function` of the body for every element, in order; a set in sorted order."""
            source = self.value(node.source)
            items: list[Value] = in_order(source)
            for item in items:
                self.values[node.variable] = item
                try:
                    yield function(node.body)
                finally:
                    del self.values[node.variable]

        def value(self, node: Node) -> Value:
            """The value of a formula of any type; raises `Undefined` where it has none."""
            self.steps -= 1
            if self.steps < 0:
                raise Undecided("more steps than a rule may take")
            match node:
                case Reference():
                    return field_of(node.name, self.values)
                case Apply():
                    return self.apply(node)
                case Literal(kind="bool" | "number" | "text" | "duration"):
                    return node.value
                case Literal():
                    return Amount(cast("Fraction", node.value), node.kind)
                case Choose():
                    return self.value(node.yes if self.known(node.condition) else node.no)
                case Braces():
                    return frozenset(self.value(item) for item in node.items)
                case Fold():
                    return self.fold(node)

        def known(self, node: Node) -> bool:
            found = self.truth(node)
            if found is None:
                raise Undefined(self.reasons[-1] if self.reasons else "an undefined condition")
            return found

        def fold(self, node: Fold) -> Value:
            if node.op in ("all", "any"):
                return self.known(node)
            if node.op == "count":
                return sum(self.each(node, self.known))
            if node.op == "sum":
                return total(self.each(node, self.value))
            return extreme(node.op, self.each(node, self.value))

        def apply(self, node: Apply) -> Value:
            op = node.op
            if op in ("and", "or", "implies", "not"):
                return self.known(node)
            args = [self.value(arg) for arg in node.args]
            if op in COMPARISONS:
                return related(op, args[0], args[1])
            if op == "in":
                return True in [related("=", args[0], item) for item in args[1]]  # all of them, so undefined shows
            if op == "matches":
                return matches(args[0], args[1])
            if op in ("min", "max"):
                return extreme(op, args)
            if len(args) == 2:
                return arithmetic(op, args[0], args[1])
            size = size_of(args[0])
            size = abs(size) if op == "abs" else exact(math.floor(size)) if op == "floor" else -size
            return _like(size, unit_of(args[0]), args[0])


    def _either(wins: bool, found: Iterator[bool | None]) -> bool | None:
        """Disjunction when `wins` is true, conjunction when it is false, of three-valued truths."""
        result: bool | None = not wins
        for one in found:
            if one is wins:
                return wins
            result = None if one is None else result
        return result

    return locals()


@_part("steward_parts.verifier.core.check")
def _():
    """The trusted checker: decides whether a certificate proves its obligation. Standard library only.

    An obligation is "for every value of the variables, the hypotheses imply the goal". A certificate is a tree
    that refutes the hypotheses together with the negated goal (Necula's proof-carrying code; the leaf is Farkas'
    lemma, and with products of two hypotheses Handelman 1988). Nodes, all JSON lists:
      ["F", [[i, "l"], [i, j, "l"], ...]]   sum of l*h_i and l*h_i*h_j is a constant that cannot be
      ["S", i, [tree, ...]]                 one tree for each alternative of the i-th disjunction
      ["C", poly, "k", tree, tree]          p integer-valued: p <= k, or p >= k+1
      ["P", poly, "k", tree, tree]          any p: p < k, or p >= k
    A polynomial is [["coefficient", "x", "y"], ...] in ascending order of variables; a formula is [">=", p],
    [">", p], ["=", p] (each against 0), ["and", ...] or ["or", ...]. Whatever is not understood is refused; a
    hypothesis no certificate names is not read.
    """

    import hashlib
    import json
    import re
    from fractions import Fraction
    from math import lcm
    from typing import Any, cast

    BYTES_MAX, NODES_MAX, DEPTH_MAX, DEGREE_MAX = 65_536, 20_000, 200, 8
    BITS_MAX, WORK_MAX = 4_096, 500_000
    _NUMBER = re.compile(r"0|-?[1-9][0-9]{0,39}(/[1-9][0-9]{0,39})?")
    _RELATIONS = (">=", ">", "=")
    _ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    Poly = dict[tuple[str, ...], Fraction]
    Formula = tuple[str, Any]
    _ZERO, _ONE = cast("tuple[Fraction, Fraction]", (0, 1))


    class Refused(Exception):
        """Why a certificate or bundle is not accepted."""


    def require(condition: bool, reason: str) -> None:
        if not condition:
            raise Refused(reason)


    def canonical(value: Any) -> str:
        return _ENCODER.encode(value)


    def digest(value: Any) -> str:
        return hashlib.sha256(canonical(value).encode()).hexdigest()


    def number(text: Any) -> Fraction:
        """An exact number: only text of at most 40 digits, in lowest terms, in its one spelling. Whole ones are ints."""
        found = _NUMBER.fullmatch(text) if type(text) is str else None
        if found is None:
            raise Refused(f"{str(text)[:50]!r} is not a number")
        if not found[1]:
            return cast("Fraction", int(text))
        value = Fraction(text)
        require(str(value) == text, "not in lowest terms")
        return value


    def items(value: Any, what: str) -> list[Any]:
        if type(value) is not list:
            raise Refused(f"{what} is not a list")
        return cast("list[Any]", value)


    class Checking:
        """One obligation under check. An assumption is [formula as given, negated or not, what it says once it is read]."""

        def __init__(self, variables: dict[str, str]) -> None:
            self.variables = variables
            self.context: list[list[Any]] = []
            self.nodes, self.work = NODES_MAX, WORK_MAX

        def spend(self, work: int) -> None:
            self.work -= work
            require(self.work >= 0, "too much work")

        def polynomial(self, value: Any) -> Poly:
            result: Poly = {}
            last: tuple[str, ...] | None = None
            for term in items(value, "a polynomial"):
                coefficient, *names = items(term, "a term") or [None]
                require(self.variables.keys() >= {*names}, "an unknown variable")
                monomial = tuple(names)
                require(len(names) < 2 or (names == sorted(names) and len(names) <= DEGREE_MAX), "a wrong monomial")
                require(last is None or last < monomial, "monomials out of order")
                require(coefficient != "0", "a zero coefficient")
                last, result[monomial] = monomial, number(coefficient)
            self.spend(len(result))
            return result

        def add(self, total: Poly, scale: Fraction, left: Poly, right: Poly) -> None:
            """Add scale * left * right to `total`, in place."""
            self.spend(len(left) * len(right))
            for b, y in right.items():
                factor = scale * y
                for a, x in left.items():
                    monomial = tuple(sorted(a + b)) if a and b else a or b
                    value = total[monomial] = total.get(monomial, _ZERO) + factor * x
                    require(value.denominator.bit_length() <= BITS_MAX, "too long")

        def read(self, index: int) -> Formula:
            """What an assumption says: a relation and its polynomial, or "or" and its alternatives as given."""
            raw, negate, found = self.context[index]
            if found is None:
                word, *parts = raw
                require(word in ("and", "or") or (word in _RELATIONS and len(parts) == 1), "an unknown formula")
                if word in ("and", "or"):
                    found = "or", [(part, negate) for part in parts]
                elif negate and word == "=":
                    found = "or", [([">", parts[0]], False), ([">=", parts[0]], True)]
                else:
                    poly = self.polynomial(parts[0])
                    found = (word, poly) if not negate else ({">=": ">", ">": ">="}[word], {m: -x for m, x in poly.items()})
                self.context[index][2] = found
            return found

        def assume(self, formula: Any, negate: bool, depth: int = 0) -> None:
            """Assume a formula or its negation: the parts of a conjunction one by one."""
            self.spend(1)
            parts = items(formula, "a formula") or [None]
            if parts[0] == ("or" if negate else "and"):
                require(depth < DEPTH_MAX, "a formula too deep")
                for part in parts[1:]:
                    self.assume(part, negate, depth + 1)
            else:
                self.context.append([parts, negate, None])

        def tree(self, node: Any, depth: int = 0) -> None:
            self.nodes -= 1
            require(self.nodes >= 0 and depth <= DEPTH_MAX, "a tree too large")
            rule, *rest = items(node, "a node") or [None]
            size, cases = len(self.context), cast("list[tuple[Any, bool, Any, Any]]", [])
            if rule == "F" and len(rest) == 1:
                self.leaf(items(rest[0], "a combination"))
            elif rule == "S" and len(rest) == 2:
                index, branches = rest[0], items(rest[1], "branches")
                require(type(index) is int and 0 <= index < size, "an index out of range")
                word, parts = self.read(index)
                require(word == "or" and len(branches) == len(parts), "a split that is none, or one with a missing branch")
                cases = [(*part, None, branch) for part, branch in zip(parts, branches, strict=True)]
            elif rule in ("C", "P") and len(rest) == 4:
                poly, k = self.polynomial(rest[0]), number(rest[1])
                require(() not in poly and len(poly) > 0, "a cut of a constant")
                step = int(rule == "C")
                if step:
                    whole = k.denominator == 1 and all(x.denominator == 1 for x in poly.values())
                    require(whole and all(self.variables[n] == "int" for m in poly for n in m), "a cut that is not whole")
                below = {(): k} | {m: -x for m, x in poly.items()}
                above = poly | {(): -k - step}
                cases = [(None, False, (">=" if step else ">", below), rest[2]), (None, False, (">=", above), rest[3])]
            else:
                raise Refused("an unknown rule")
            for formula, negate, said, branch in cases:
                self.assume(formula, negate) if said is None else self.context.append([None, False, said])
                self.tree(branch, depth + 1)
                del self.context[size:]

        def leaf(self, terms: list[Any]) -> None:
            """A combination that is identically c <= 0, scaled so that -c + the strict multipliers is one."""
            total, strict, last, size = Poly(), 0, (0, cast("list[int]", [])), len(self.context)
            scales = [number((items(term, "a term") or [None])[-1]) for term in terms]
            common = lcm(*(scale.denominator for scale in scales))  # it is added up in whole numbers
            require(common.bit_length() <= BITS_MAX, "too long")
            for term, multiplier in zip(terms, scales, strict=True):
                indices, scale = term[:-1], multiplier.numerator * (common // multiplier.denominator)
                require(len(indices) in (1, 2), "a wrong term")
                require({*map(type, indices)} == {int} and 0 <= indices[0] <= indices[-1] < size, "an index out of range")
                require(last < (len(indices), indices), "indices out of order")
                last = (len(indices), indices)
                factors: list[Formula] = [self.read(i) for i in indices]
                words = {word for word, _ in factors}
                require("or" not in words, "a multiplier on a disjunction")
                for word, poly in factors:
                    if len(poly) <= 1 and not any(poly):  # no monomial but the empty one: a constant
                        value = poly.get((), _ZERO)
                        true = value == 0 if word == "=" else value > 0 or (value == 0 and word == ">=")
                        require(not true and len(factors) == 1, "a constant hypothesis is named")
                require(scale > 0 or (scale != 0 and "=" in words), "a multiplier must be positive")
                strict += scale if words == {">"} else 0
                self.add(total, cast("Fraction", scale), factors[0][1], factors[1][1] if len(factors) > 1 else {(): _ONE})
            constant = total.pop((), _ZERO)
            require(not any(total.values()), "the combination is not constant")
            require(constant <= 0 and strict - constant == common, "no contradiction in normal form")


    def check_obligation(obligation: dict[str, Any], tree: Any) -> None:
        """Return if `tree` proves `obligation`; else raise `Refused`."""
        require(len(canonical(tree).encode()) <= BYTES_MAX, "the certificate is too long")
        variables = obligation["variables"]
        require(type(variables) is dict and set(variables.values()) <= {"int", "real"}, "wrong variables")
        checking = Checking(variables)
        for hypothesis in items(obligation["hypotheses"], "hypotheses"):
            checking.assume(hypothesis, negate=False)
        checking.assume(obligation["goal"], negate=True)
        checking.tree(tree)

    return locals()


@_part("steward_parts.verifier.core.bundle")
def _():
    """Re-checks a whole proof bundle with the checker alone. Standard library only; part of the trusted base.

    A bundle binds everything by digest: catalog, action, facts, findings, the obligations the prover discharged,
    one certificate for each, and the verdict, which is derived again here. What this cannot know is whether the
    obligations are the ones the catalog demands for that action and those facts: `Verifier.rebuild` answers that.

    A finding by theorem names the theorem by its digest. Theorems are the same for every action of a kind, so a bundle
    may leave them out; they are then looked up among those of a `theorems.json`, which `checked_theorems` has checked.
    """

    import json
    from hashlib import sha256
    from typing import Any, cast
    from steward_parts.verifier.core.check import Refused, canonical, check_obligation, items, require

    FORMAT = "steward-bundle/1"
    BUNDLE_BYTES_MAX = 8_000_000
    _SAID = frozenset({"format", "catalog_digest", "action", "facts", "now", "verdict", "findings", "witness"})
    _BUNDLE = _SAID | {"obligations", "certificates", "digest"}
    _FINDING = frozenset({"id", "basis", "status", "otherwise", "detail"})
    _OBLIGATION = frozenset({"invariant", "variables", "hypotheses", "goal", "digest"})
    _CERTIFICATE = frozenset({"obligation_digest", "tree"})
    _BOOK = frozenset({"format", "theorems"})
    _STORED = frozenset({"kind", "state", "uses", "obligation", "tree"})
    _THEOREM = frozenset({"state", "obligation_digest"})
    _INLINE = _THEOREM | {"uses", "obligation", "tree"}
    THEOREMS = "steward-theorems/1"
    _STATUSES = frozenset({"holds", "fails", "undefined", "missing", "unproved", "skipped"})


    def verdict_of(findings: list[tuple[str, str]]) -> str:
        """The rules of `steward verify decide` over (otherwise, status); an action no rule covers is denied."""
        if not findings or ("deny", "fails") in findings or ("deny", "undefined") in findings:
            return "DENY"
        return "ALLOW" if all(status in ("holds", "skipped") for _, status in findings) else "ESCALATE"


    def _with_keys(value: Any, keys: frozenset[str], what: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise Refused(f"{what} is not an object")
        entry = cast("dict[str, Any]", value)
        if entry.keys() != keys:
            raise Refused(f"{what} has other keys than {', '.join(sorted(keys))}")
        return entry


    def _without_digest(digest: Any, text: str, what: str) -> str:
        """The digest that a canonical `text` without its own digest has; it must be this one."""
        found = sha256(text.encode()).hexdigest()
        require(digest == found, f"{what}: the digest does not match the content")
        return found


    def _strict(text: str | bytes) -> Any:
        def refuse(literal: str) -> Any:
            raise Refused(f"{literal[:40]} is not an integer")

        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            require(len(dict(pairs)) == len(pairs), "a key appears twice")
            return dict(pairs)

        return json.loads(text, parse_float=refuse, parse_constant=refuse, object_pairs_hook=unique)


    def _findings(value: Any) -> tuple[list[tuple[str, str]], list[str], list[str]]:
        """(otherwise, status) of every finding, the rules that claim a certificate, those that claim a theorem."""
        said: list[tuple[str, str]] = []
        claimed: dict[str, list[str]] = {"evaluated": [], "certificate": [], "theorem": []}
        seen: set[str] = set()
        for entry in items(value, "findings"):
            finding = _with_keys(entry, _FINDING, "a finding")
            require({*map(type, finding.values())} == {str}, "a finding is not text")
            name, basis, status, otherwise = (finding[key] for key in ("id", "basis", "status", "otherwise"))
            if name in seen:
                raise Refused(f"invariant {name} appears twice")
            require(otherwise in ("deny", "escalate"), "an unknown severity")
            require(status in _STATUSES and basis in claimed, "an unknown finding")
            seen.add(name)
            said.append((otherwise, status))
            require(basis != "theorem" or status == "holds", "a theorem that does not hold")
            if status == "holds":
                claimed[basis].append(name)
        return said, claimed["certificate"], claimed["theorem"]


    def _proved(obligation: Any, tree: Any, wanted: Any = None) -> tuple[str, str]:
        """Digest and canonical text of an obligation that its tree proves; it must be the `wanted` one, if one is."""
        read = _with_keys(obligation, _OBLIGATION, "an obligation")
        name = f"obligation {str(read['invariant'])[:100]}"
        text = canonical(read)
        found = _without_digest(read["digest"], "{" + text[len(f'{{"digest":{canonical(read["digest"])},') :], name)
        require(wanted in (None, found), f"{name}: the certificate is for another obligation")
        try:
            check_obligation(read, tree)
        except Refused as refused:
            raise Refused(f"{name}: {refused}") from None
        return found, text


    def checked_theorems(source: Any) -> dict[str, str]:
        """Name by digest of every theorem in a `theorems.json` (object or text); `Refused` if one of them is none."""
        book = _with_keys(
            _strict(source) if isinstance(source, str | bytes) else source,
            frozenset({"format", "theorems"}),
            "the theorems",
        )
        require(book["format"] == THEOREMS, f"the format is not {THEOREMS}")
        found: dict[str, str] = {}
        for entry in items(book["theorems"], "theorems"):
            theorem = _with_keys(entry, _STORED, "a theorem")
            digest_found, _ = _proved(theorem["obligation"], theorem["tree"])
            found[digest_found] = theorem["obligation"]["invariant"]
        return found


    def _theorems(bundle: dict[str, Any], known: dict[str, str]) -> list[str]:
        """The states whose theorem is in the bundle or among the `known`, and is about the action's kind."""
        named: list[str] = []
        for entry in items(bundle.get("theorems", []), "theorems"):
            is_inline = type(entry) is dict and "tree" in entry
            theorem = _with_keys(entry, _INLINE if is_inline else _THEOREM, "a theorem")
            found, state = theorem["obligation_digest"], theorem["state"]
            if is_inline:
                _proved(theorem["obligation"], theorem["tree"], found)
                title = theorem["obligation"]["invariant"]
            else:
                is_known = type(found) is str and found in known
                require(is_known, f"theorem {state} is not known: it is neither in the bundle nor in a file given")
                title = known[found]
            require(title == f"{bundle['action']['kind']} keeps {state}", f"theorem {state}: it is about something else")
            named.append(state)
        return named


    def _check(source: Any, known: dict[str, str]) -> None:
        text = source if isinstance(source, str | bytes) else canonical(source)
        require(len(text) <= BUNDLE_BYTES_MAX, "the bundle is too long")
        check_parts(_strict(text), known)


    def check_parts(value: Any, known: dict[str, str]) -> str:
        """Everything about a bundle that was read strictly (integers only, no key twice); `Refused` says what is wrong.

        Gives its canonical text, put together from its parts so that each is written once.
        """
        has_theorems = type(value) is dict and "theorems" in value
        bundle = _with_keys(value, _BUNDLE | {"theorems"} if has_theorems else _BUNDLE, "the bundle")
        require(bundle["format"] == FORMAT, f"the format is not {FORMAT}")
        said, claimed, kept = _findings(bundle["findings"])
        require(bundle["verdict"] == verdict_of(said), "the verdict does not follow from the findings")
        obligations = items(bundle["obligations"], "obligations")
        certificates = items(bundle["certificates"], "certificates")
        require(len(obligations) == len(certificates), "not one certificate for each obligation")
        named: list[str] = []
        texts: list[str] = []
        for one, other in zip(obligations, certificates, strict=True):
            certificate = _with_keys(other, _CERTIFICATE, "a certificate")
            texts.append(_proved(one, certificate["tree"], certificate["obligation_digest"])[1])
            named.append(one["invariant"])
        require(named == claimed, "the obligations are not those the findings claim")
        require(_theorems(bundle, known) == kept, "the theorems are not those the findings claim")
        parts = {key: canonical(bundle[key]) for key in bundle if key != "obligations"}
        parts["obligations"] = f"[{','.join(texts)}]"
        members = [f'"{key}":{parts[key]}' for key in sorted(parts)]
        bare = [member for member in members if not member.startswith('"digest":')]
        _without_digest(bundle["digest"], f"{{{','.join(bare)}}}", "the bundle")
        return f"{{{','.join(members)}}}"


    def check_bundle(source: Any, known: dict[str, str] | None = None) -> tuple[bool, str]:
        """(valid, reason) of a bundle as an object or JSON text. Never raises: what it cannot read is invalid.

        `known` are theorems checked before, as `checked_theorems` gives them.
        """
        try:
            _check(source, known or {})
        except Refused as refused:
            return False, str(refused)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError) as error:
            return False, f"the bundle cannot be read: {type(error).__name__}"
        return True, ""

    return locals()


@_part("steward_parts.verifier.core.obligations")
def _():
    """Turns a rule that reads uncertain facts into an obligation: hypotheses and a goal over polynomials.

    Ground facts are substituted, so only the uncertain ones remain as variables. An interval is two hypotheses; a
    subset of amounts in flight is sum a_i * b_i with whole b_i between 0 and 1. A quotient a/b is kept as a pair
    under the guard b > 0 (or b < 0, signs turned), so an atom whose denominator may vanish is unprovable in both
    polarities, exactly as `evaluate` has it. if, min, max and abs become cases; floor becomes a fresh whole
    variable. The gate rebuilds obligations with this and never takes them from a prover.
    """

    from dataclasses import dataclass
    from fractions import Fraction
    from typing import Any, cast
    from steward_parts.verifier.core import polynomials as poly
    from steward_parts.verifier.core.check import digest
    from steward_parts.verifier.core.evaluate import Evaluator, Undecided, Undefined, field_of, in_order, size_of
    from steward_parts.verifier.core.polynomials import FALSE, Formula, Poly, atom, both, either
    from steward_parts.verifier.core.syntax import COMPARISONS, Apply, Braces, Choose, Fold, Literal, Node, Reference
    from steward_parts.verifier.core.units import reads
    from steward_parts.verifier.core.values import Amount, Uncertain, Value

    CASES_MAX, SIZE_MAX = 128, 20_000
    ONE = poly.constant(1)


    @dataclass(frozen=True, slots=True)
    class Case:
        """Where `guard` holds the value is top/bottom with bottom > 0, in `unit` (a currency, or nothing)."""

        guard: Formula
        top: Poly
        bottom: Poly
        unit: str


    Cases = list[Case]


    def _pairs(left: Cases, right: Cases, *, same_unit: bool = True) -> list[tuple[Formula, Case, Case, str]]:
        """Every combination of cases that can occur together; two currencies have no value together."""
        found: list[tuple[Formula, Case, Case, str]] = []
        for a in left:
            for b in right:
                guard = both(a.guard, b.guard)
                if guard != FALSE and not (same_unit and a.unit and b.unit and a.unit != b.unit):
                    found.append((guard, a, b, a.unit or b.unit))
        return _bounded(found)


    def _bounded(cases: list[Any]) -> list[Any]:
        if len(cases) > CASES_MAX:
            raise Undecided(f"more than {CASES_MAX} cases")
        return cases


    def _difference(a: Case, b: Case) -> Poly:
        """A polynomial of the sign of a - b (both denominators are positive)."""
        return poly.plus(poly.times(a.top, b.bottom), poly.times(b.top, a.bottom), -1)


    def _relation(op: str, gap: Poly) -> tuple[Formula, Formula]:
        """The relation left `op` right and its negation, where `gap` has the sign of left - right."""
        minus = poly.scaled(gap, -1)
        match op:
            case "=" | "!=":
                same, other = atom("=", gap), either(atom(">", gap), atom(">", minus))
                return (same, other) if op == "=" else (other, same)
            case ">=" | ">":
                return atom(op, gap), atom(">" if op == ">=" else ">=", minus)
            case _:
                return atom(">=" if op == "<=" else ">", minus), atom(">" if op == "<=" else ">=", gap)


    def _sum(left: Cases, right: Cases, factor: int = 1) -> Cases:
        return [
            Case(
                guard,
                poly.plus(poly.times(a.top, b.bottom), poly.times(b.top, a.bottom), factor),
                poly.times(a.bottom, b.bottom),
                unit,
            )
            for guard, a, b, unit in _pairs(left, right)
        ]


    def _product(left: Cases, right: Cases) -> Cases:
        return [
            Case(guard, poly.times(a.top, b.top), poly.times(a.bottom, b.bottom), unit)
            for guard, a, b, unit in _pairs(left, right)
        ]


    def _quotient(left: Cases, right: Cases) -> Cases:
        found: Cases = []
        for guard, a, b, unit in _pairs(left, right):
            top, bottom = poly.times(a.top, b.bottom), poly.times(a.bottom, b.top)
            kind = "" if a.unit and b.unit else unit
            for sign in (1, -1):
                positive = both(guard, atom(">", poly.scaled(b.top, sign)))
                if positive != FALSE:
                    found.append(Case(positive, poly.scaled(top, sign), poly.scaled(bottom, sign), kind))
        return _bounded(found)


    def _extreme(op: str, left: Cases, right: Cases) -> Cases:
        found: Cases = []
        for guard, a, b, unit in _pairs(left, right):
            first, second = _relation("<=" if op == "min" else ">=", _difference(a, b))
            for one, condition in ((a, first), (b, second)):
                wins = both(guard, condition)
                if wins != FALSE:
                    found.append(Case(wins, one.top, one.bottom, unit))
        return _bounded(found)


    def _absolute(cases: Cases) -> Cases:
        found = [
            Case(both(c.guard, atom(op, poly.scaled(c.top, sign))), poly.scaled(c.top, sign), c.bottom, c.unit)
            for c in cases
            for op, sign in ((">=", 1), (">", -1))
        ]
        return _bounded([case for case in found if case.guard != FALSE])


    def within(q: Poly, case: Case) -> Formula:
        """Q * bottom <= top < (q + 1) * bottom: a whole q is then the case's value, rounded down."""
        gap = poly.plus(case.top, poly.times(q, case.bottom), -1)
        return both(atom(">=", gap), atom(">", poly.plus(case.bottom, gap, -1)))


    class Compiler:
        """One rule being compiled over ground values and uncertain facts."""

        def __init__(self, values: dict[str, Value], uncertain: dict[str, Uncertain]) -> None:
            self.ground = Evaluator(dict(values))
            self.uncertain = uncertain
            self.variables: dict[str, str] = {}
            self.hypotheses: list[Formula] = []
            self.facts = {name: self._declared(name, fact) for name, fact in sorted(uncertain.items())}

        def _variable(self, name: str, sort: str, low: Fraction, high: Fraction) -> Poly:
            self.variables[name] = sort
            found = poly.variable(name)
            self.hypotheses.append(atom(">=", poly.plus(found, poly.constant(low), -1)))
            self.hypotheses.append(atom(">=", poly.plus(poly.constant(high), found, -1)))
            return found

        def _declared(self, name: str, fact: Uncertain) -> Cases:
            if fact.is_subset:
                total: Poly = {}
                for i, part in enumerate(fact.parts):
                    total = poly.plus(
                        total, self._variable(f"{name}#{i}", "int", Fraction(0), Fraction(1)), poly.exact(part)
                    )
            else:
                sort = "int" if fact.kind.name in ("int", "money") else "real"
                total = self._variable(name, sort, fact.low, fact.high)
            return [Case(poly.TRUE, total, ONE, fact.currency)]

        def is_ground(self, node: Node) -> bool:
            return reads(node).isdisjoint(self.uncertain)

        def is_truth(self, node: Node) -> bool:
            match node:
                case Apply():
                    return node.op in (*COMPARISONS, "and", "or", "implies", "not", "in", "matches")
                case Fold():
                    return node.op in ("all", "any")
                case Choose():
                    return self.is_truth(node.yes)
                case Reference():
                    return node.name not in self.uncertain and isinstance(field_of(node.name, self.ground.values), bool)
                case Literal():
                    return node.kind == "bool"
                case Braces():
                    return False

        def truth(self, node: Node) -> tuple[Formula, Formula]:
            """Where the formula is true, and where it is false; undefined is in neither."""
            if self.is_ground(node):
                found = self.ground.truth(node)
                return (poly.TRUE if found is True else FALSE), (poly.TRUE if found is False else FALSE)
            match node:
                case Apply(op="not"):
                    yes, no = self.truth(node.args[0])
                    return no, yes
                case Apply(op="and" | "or" | "implies"):
                    (a, not_a), (b, not_b) = (self.truth(arg) for arg in node.args)
                    if node.op == "and":
                        return both(a, b), either(not_a, not_b)
                    return (either(a, b), both(not_a, not_b)) if node.op == "or" else (either(not_a, b), both(a, not_b))
                case Fold():
                    parts = list(self.ground.each(node, self.truth))
                    yes, no = [part[0] for part in parts], [part[1] for part in parts]
                    return (both(*yes), either(*no)) if node.op == "all" else (either(*yes), both(*no))
                case Choose():
                    (c, not_c), (a, not_a), (b, not_b) = map(self.truth, (node.condition, node.yes, node.no))
                    return either(both(c, a), both(not_c, b)), either(both(c, not_a), both(not_c, not_b))
                case _:
                    return self.comparison(cast("Apply", node))

        def comparison(self, node: Apply) -> tuple[Formula, Formula]:
            left, right = node.args
            if node.op == "in":
                return self.member(left, right)
            if self.is_truth(left):
                (a, not_a), (b, not_b) = self.truth(left), self.truth(right)
                same, other = either(both(a, b), both(not_a, not_b)), either(both(a, not_b), both(not_a, b))
                return (same, other) if node.op == "=" else (other, same)
            return self._compared(node.op, self.cases(left), self.cases(right))

        def _compared(self, op: str, left: Cases, right: Cases) -> tuple[Formula, Formula]:
            yes: list[Formula] = []
            no: list[Formula] = []
            for guard, a, b, _ in _pairs(left, right):
                true, false = _relation(op, _difference(a, b))
                yes.append(both(guard, true))
                no.append(both(guard, false))
            return either(*yes), either(*no)

        def member(self, left: Node, right: Node) -> tuple[Formula, Formula]:
            """Equal to one of the items; defined only where every comparison is, as in `evaluate`."""
            value = self.cases(left)
            if isinstance(right, Braces):
                items = [self.cases(item) for item in right.items]
            elif not self.is_ground(right):
                raise Undecided("a set may not depend on an uncertain fact")
            else:
                items = [self.literal(item) for item in in_order(self.ground.value(right))]
            found = [self._compared("=", value, item) for item in items]
            defined = both(*(either(yes, no) for yes, no in found))
            return both(defined, either(*(yes for yes, _ in found))), both(*(no for _, no in found))

        def literal(self, value: Value) -> Cases:
            if isinstance(value, bool) or not isinstance(value, int | Fraction | Amount):
                raise Undecided("only numbers may depend on an uncertain fact")
            unit = value.currency if isinstance(value, Amount) else ""
            return [Case(poly.TRUE, poly.constant(size_of(value)), ONE, unit)]

        def cases(self, node: Node) -> Cases:
            """The value of a numeric formula, by cases; no case where it is undefined."""
            if self.is_ground(node):
                try:
                    return self.literal(self.ground.value(node))
                except Undefined:
                    return []
            match node:
                case Reference():
                    return self.facts[node.name]
                case Choose():
                    yes, no = self.truth(node.condition)
                    found = [(yes, case) for case in self.cases(node.yes)] + [(no, case) for case in self.cases(node.no)]
                    guarded = [Case(both(where, c.guard), c.top, c.bottom, c.unit) for where, c in found]
                    return _bounded([case for case in guarded if case.guard != FALSE])
                case Fold():
                    return self.fold(node)
                case Apply():
                    return self.apply(node)
                case _:
                    raise Undecided("only numbers may depend on an uncertain fact")

        def fold(self, node: Fold) -> Cases:
            if node.op == "count":
                found = self.literal(Fraction(0))
                for yes, no in self.ground.each(node, self.truth):
                    one = [Case(yes, ONE, ONE, ""), Case(no, {}, ONE, "")]
                    found = _sum(found, [case for case in one if case.guard != FALSE])
                return found
            parts: list[Cases] = list(self.ground.each(node, self.cases))
            if not parts:
                return self.literal(Fraction(0)) if node.op == "sum" else []
            found = parts[0]
            for part in parts[1:]:
                found = _sum(found, part) if node.op == "sum" else _extreme(node.op, found, part)
            return found

        def apply(self, node: Apply) -> Cases:
            args = [self.cases(arg) for arg in node.args]
            match node.op:
                case "min" | "max":
                    found = args[0]
                    for part in args[1:]:
                        found = _extreme(node.op, found, part)
                    return found
                case "+" | "-" if len(args) == 2:
                    return _sum(args[0], args[1], 1 if node.op == "+" else -1)
                case "*":
                    return _product(args[0], args[1])
                case "/":
                    return _quotient(args[0], args[1])
                case "floor":
                    return [self.floor(case) for case in args[0]]
                case _:
                    minus = [Case(c.guard, poly.scaled(c.top, -1), c.bottom, c.unit) for c in args[0]]
                    return minus if node.op == "-" else _absolute(args[0])

        def floor(self, case: Case) -> Case:
            """A fresh whole q with q * bottom <= top < (q + 1) * bottom wherever the case applies."""
            name = f"floor#{len(self.variables)}"
            self.variables[name] = "int"
            q = poly.variable(name)
            self.hypotheses.append(either(poly.negated(case.guard), within(q, case)))
            return Case(case.guard, q, ONE, case.unit)


    def obligation(invariant: str, rule: Node, values: dict[str, Value], uncertain: dict[str, Uncertain]) -> dict[str, Any]:
        """What must be proved so that `rule` holds whatever the uncertain facts are, without its digest (see `digested`).

        `Undecided` past the limits.
        """
        compiler = Compiler(values, uncertain)
        goal, _ = compiler.truth(rule)
        if poly.size(goal) > SIZE_MAX:
            raise Undecided("an obligation too large")
        found: dict[str, Any] = {
            "invariant": invariant,
            "variables": compiler.variables,
            "hypotheses": compiler.hypotheses,
            "goal": goal,
        }
        return found


    def digested(content: dict[str, Any]) -> dict[str, Any]:
        """An obligation with the digest that binds it."""
        return {**content, "digest": digest(content)}

    return locals()


@_part("steward_parts.verifier.core.symbolic")
def _():
    """Compiles rules for every state at once: no value is known, each name is a variable.

    Numbers, money, durations and times are variables of their own; money is taken to be in one currency. Words are
    numbers by an injection, so that equality of text is equality of numbers. What has no arithmetic (a fold over a list, a
    pattern, membership in a set) is one variable for each syntax tree: two places that say the same mean the same. What
    may be undefined gets a variable for true and one for false, of which at most one is one, or a variable that says
    whether there is a value, so that undefined stays unprovable in both polarities.
    """

    from dataclasses import dataclass
    from fractions import Fraction
    from steward_parts.kernel.errors import BadInput
    from steward_parts.verifier.core import polynomials as poly
    from steward_parts.verifier.core.evaluate import Undecided
    from steward_parts.verifier.core.obligations import ONE, Case, Cases, Compiler, within
    from steward_parts.verifier.core.polynomials import Formula, Poly, atom, either
    from steward_parts.verifier.core.printer import show
    from steward_parts.verifier.core.rules import Bounds
    from steward_parts.verifier.core.syntax import Apply, Braces, Choose, Fold, Literal, Node, Reference, children
    from steward_parts.verifier.core.types import BOOL, Type
    from steward_parts.verifier.core.units import Scope, reads, type_of
    from steward_parts.verifier.core.values import Value

    _KNOWN = frozenset({"action.kind"})
    _WHOLE = ("int", "money")
    _SINGLE = ("int", "decimal", "money", "duration", "time", "text", "enum")


    @dataclass(frozen=True, slots=True)
    class Meaning:
        """What a variable stands for: the `value` of a formula, or 1 where it is `true`, `false` or `defined`.

        A `floor` is the whole part of the quotient of two polynomials.
        """

        role: str
        node: Node | None = None
        quotient: tuple[Poly, Poly] = ({}, {})


    def may_be_undefined(node: Node) -> bool:
        """Whether a well-typed formula over facts that are there can lack a value (in one currency)."""
        match node:
            case Apply(op="/", args=(_, Literal(value=Fraction() as divisor))):
                risky = divisor == 0
            case Apply(op="/") | Fold(op="min" | "max"):
                risky = True
            case _:
                risky = False
        return risky or any(may_be_undefined(child) for child in children(node))


    class Symbolic(Compiler):
        """Rules of one kind of action over variables; `hypotheses` collects what is true of the variables as such."""

        def __init__(self, kind: str, scope: Scope, bounds: dict[str, Bounds]) -> None:
            super().__init__({"action.kind": kind}, {})
            self.scope = scope
            self.bounds = bounds
            self.meanings: dict[str, Meaning] = {}
            self.words: dict[str, int] = {}
            self.floors: dict[str, Poly] = {}
            self.currencies: set[str] = set()

        @property
        def currency(self) -> str:
            """The one currency the rules name, if any."""
            return next(iter(self.currencies), "")

        def type_of(self, node: Node) -> Type:
            try:
                return type_of(node, self.scope)
            except BadInput as error:
                raise Undecided(f"{error.what} in {show(node)}") from None

        def is_ground(self, node: Node) -> bool:
            return reads(node) <= _KNOWN

        def is_truth(self, node: Node) -> bool:
            return self.type_of(node) == BOOL

        def truth(self, node: Node) -> tuple[Formula, Formula]:
            match node:
                case Reference() if not self.is_ground(node):
                    return self.condition(node)
                case Fold():
                    return self.condition(node)
                case Apply(op="matches"):
                    return self.condition(node)
                case _:
                    return super().truth(node)

        def comparison(self, node: Apply) -> tuple[Formula, Formula]:
            left = self.type_of(node.args[0])
            if node.op == "in" and (left == BOOL or not isinstance(node.args[1], Braces)):
                return self.condition(node)
            if left != BOOL and left.name not in _SINGLE:
                return self.condition(node)
            return super().comparison(node)

        def condition(self, node: Node) -> tuple[Formula, Formula]:
            """A part that is only true or false (or undefined), as variables keyed by its syntax tree."""
            name = show(node)
            if not may_be_undefined(node):
                flag = self.flag(name, Meaning("true", node))
                return atom(">=", poly.plus(flag, ONE, -1)), atom(">=", poly.scaled(flag, -1))
            is_new = f"{name} # true" not in self.variables
            yes = self.flag(f"{name} # true", Meaning("true", node))
            no = self.flag(f"{name} # false", Meaning("false", node))
            if is_new:
                self.hypotheses.append(atom(">=", poly.plus(ONE, poly.plus(yes, no), -1)))
            return atom(">=", poly.plus(yes, ONE, -1)), atom(">=", poly.plus(no, ONE, -1))

        def flag(self, name: str, meaning: Meaning) -> Poly:
            """A whole variable between 0 and 1."""
            return self.named(name, meaning, "int", (Fraction(0), Fraction(1)))

        def named(self, name: str, meaning: Meaning, sort: str, ends: Bounds) -> Poly:
            """The variable of that name, with its bounds among the hypotheses from its first use on."""
            found = poly.variable(name)
            if name not in self.variables:
                self.variables[name], self.meanings[name] = sort, meaning
                least, most = ends
                if least is not None:
                    self.hypotheses.append(atom(">=", poly.plus(found, poly.constant(least), -1)))
                if most is not None:
                    self.hypotheses.append(atom(">=", poly.plus(poly.constant(most), found, -1)))
            return found

        def word(self, text: str) -> int:
            """The number of a word: any two words have two numbers, and words not met have others."""
            return self.words.setdefault(text, len(self.words))

        def literal(self, value: Value) -> Cases:
            if isinstance(value, str):
                return [Case(poly.TRUE, poly.constant(self.word(value)), ONE, "")]
            found = super().literal(value)
            self.currencies |= {case.unit for case in found if case.unit}
            if len(self.currencies) > 1:
                raise Undecided(f"amounts in {' and '.join(sorted(self.currencies))}: a theorem is about one currency")
            return found

        def cases(self, node: Node) -> Cases:
            if isinstance(node, Reference) and not self.is_ground(node):
                return [Case(poly.TRUE, self.reference(node), ONE, "")]
            return super().cases(node)

        def reference(self, node: Reference) -> Poly:
            kind = self.type_of(node)
            if kind.name not in _SINGLE:
                raise Undecided(f"{node.name} is a {kind.name}")
            sort = "int" if kind.name in (*_WHOLE, "text", "enum") else "real"
            known = node.name in self.variables
            ends = self.bounds.get(node.name, (None, None))
            numbers = [self.word(word) for word in kind.words]
            row = numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
            if row:
                ends = (Fraction(numbers[0]), Fraction(numbers[-1]))
            found = self.named(node.name, Meaning("value", node), sort, ends)
            if numbers and not row and not known:
                one_of = [atom("=", poly.plus(found, poly.constant(number), -1)) for number in numbers]
                self.hypotheses.append(either(*one_of))
            return found

        def fold(self, node: Fold) -> Cases:
            """The count, sum or extreme of a list, which is a number like any other; a count is never negative."""
            name = show(node)
            sort = "int" if whole(node, self.scope) else "real"
            least = Fraction(0) if node.op == "count" else None
            found = self.named(name, Meaning("value", node), sort, (least, None))
            guard = poly.TRUE
            if may_be_undefined(node):
                defined = self.flag(f"{name} # defined", Meaning("defined", node))
                guard = atom(">=", poly.plus(defined, ONE, -1))
            return [Case(guard, found, ONE, "")]

        def floor(self, case: Case) -> Case:
            """One whole variable for each quotient, so that the same part rounded twice is the same number."""
            key = str((poly.to_json(case.top), poly.to_json(case.bottom)))
            if key not in self.floors:
                found = super().floor(case)
                name = next(reversed(self.variables))
                self.meanings[name] = Meaning("floor", quotient=(case.top, case.bottom))
                self.floors[key] = found.top
                return found
            self.hypotheses.append(either(poly.negated(case.guard), within(self.floors[key], case)))
            return Case(case.guard, self.floors[key], ONE, case.unit)

        def holds(self, node: Node) -> Formula:
            """Where the formula is true."""
            self.type_of(node)  # a name bound twice, which only a substitution can bring about, shows here
            return self.truth(node)[0]


    def whole(node: Node, scope: Scope) -> bool:
        """Whether a number is whole whatever the facts are: whole facts, added, subtracted and multiplied."""
        match node:
            case Literal():
                return isinstance(node.value, Fraction) and node.value.denominator == 1
            case Reference():
                return type_of(node, scope).name in _WHOLE
            case Choose():
                return whole(node.yes, scope) and whole(node.no, scope)
            case Fold():
                item = type_of(node.source, scope).item
                return node.op == "count" or (item is not None and whole(node.body, {**scope, node.variable: item}))
            case Apply(op="floor"):
                return True
            case Apply(op="+" | "-" | "*" | "min" | "max" | "abs"):
                return all(whole(arg, scope) for arg in node.args)
            case _:
                return False


    def substituted(node: Node, found: dict[str, Node], bound: frozenset[str] = frozenset()) -> Node:
        """`node` with formulas in the place of names. The type check keeps names apart that folds bind."""

        def inside(part: Node) -> Node:
            return substituted(part, found, bound)

        match node:
            case Reference():
                return node if node.name.partition(".")[0] in bound else found.get(node.name, node)
            case Literal():
                return node
            case Apply():
                return Apply(node.op, tuple(map(inside, node.args)), node.at)
            case Choose():
                return Choose(inside(node.condition), inside(node.yes), inside(node.no), node.at)
            case Braces():
                return Braces(tuple(map(inside, node.items)), node.at)
            case Fold():
                body = substituted(node.body, found, bound | {node.variable})
                return Fold(node.op, node.variable, inside(node.source), body, node.at)

    return locals()


@_part("steward_parts.verifier.core.theorems")
def _():
    """Theorems of action kinds: whatever the state and the parameters, guards and states before give the state after.

    For each kind and each state rule whose facts its effect changes there is one obligation: hypotheses are the state
    rules and the `deny` invariants of the kind ("guards"), the goal is the state rule with the effect's formulas in the
    place of the facts it changes. A theorem names the rules it uses, so its obligation holds those alone: any part of
    what is true is true. It is rebuilt from the catalog and checked whenever it is read; nothing about it is believed.
    """

    from collections.abc import Iterable
    from dataclasses import dataclass
    from typing import Any, cast
    from steward_parts.verifier.core import polynomials as poly
    from steward_parts.verifier.core.bundle import THEOREMS
    from steward_parts.verifier.core.check import Refused, check_obligation, digest
    from steward_parts.verifier.core.evaluate import Undecided
    from steward_parts.verifier.core.obligations import SIZE_MAX
    from steward_parts.verifier.core.polynomials import Formula
    from steward_parts.verifier.core.rules import Catalog, Invariant, State
    from steward_parts.verifier.core.symbolic import Meaning, Symbolic, may_be_undefined, substituted
    from steward_parts.verifier.core.syntax import Apply, Literal, Node, Reference
    from steward_parts.verifier.core.units import reads

    _UNREADABLE = (Refused, ValueError, TypeError, KeyError, IndexError, RecursionError)


    @dataclass(frozen=True, slots=True)
    class Question:
        """A theorem to be proved: its obligation, who owns which hypothesis, and what its variables stand for."""

        kind: str
        state: State
        uses: tuple[str, ...]
        obligation: dict[str, Any]
        meanings: dict[str, Meaning]
        words: dict[str, int]
        currency: str = ""


    @dataclass(frozen=True, slots=True)
    class Theorem:
        """A checked theorem: the obligation the catalog demands with the rules it uses, and the tree that proves it."""

        kind: str
        state: str
        uses: tuple[str, ...]
        obligation: dict[str, Any]
        tree: Any

        @property
        def digest(self) -> str:
            return cast("str", self.obligation["digest"])

        def to_json(self) -> dict[str, Any]:
            said = {"kind": self.kind, "state": self.state, "uses": list(self.uses)}
            return {**said, "obligation": self.obligation, "tree": self.tree}


    Book = dict[tuple[str, str], Theorem]
    """Checked theorems by kind and state rule."""


    def known(book: Book) -> dict[str, str]:
        """Name by digest of theorems that were checked, so that a bundle need not hold them."""
        return {theorem.digest: cast("str", theorem.obligation["invariant"]) for theorem in book.values()}


    def guards(catalog: Catalog, kind: str) -> tuple[Invariant, ...]:
        """The rules no action of the kind passes without: what a theorem may take as true of the action."""
        return tuple(rule for rule in catalog.covering(kind) if rule.otherwise == "deny")


    def hypotheses(catalog: Catalog, kind: str) -> dict[str, Node]:
        """What holds before the action, by rule id: every state rule, then every guard."""
        return {
            **{state.id: state.holds for state in catalog.states},
            **{rule.id: rule.rule for rule in guards(catalog, kind)},
        }


    def after(catalog: Catalog, kind: str, state: State) -> Node:
        """That the state rule holds after an action of the kind, written over the facts before it.

        Every new value the rule reads must be one: an effect without a value keeps nothing.
        """
        found: dict[str, Node] = {}
        for fact, effect in catalog.effects.get(kind, {}).items():
            if fact in state.reads():
                is_zero = isinstance(effect, Literal) and effect.kind == "number" and effect.value == 0
                found[fact] = Apply("*", (effect, Reference(fact))) if is_zero else effect  # a zero of the fact's unit
        goal = substituted(state.holds, found)
        for effect in found.values():
            if may_be_undefined(effect):
                goal = Apply("and", (Apply("=", (effect, effect)), goal))
        return goal


    def related_rules(goal: Node, given: dict[str, Node]) -> tuple[str, ...]:
        """The rules that have to do with the goal: those that share a name with it, or with one that does."""
        named = set(reads(goal))
        waiting = dict(given)
        found: set[str] = set()
        while near := [name for name, node in waiting.items() if reads(node) & named]:
            for name in near:
                named |= reads(waiting.pop(name))
                found.add(name)
        return tuple(name for name in given if name in found)


    def implication(
        catalog: Catalog, kind: str, name: str, given: dict[str, Node], goal: Node
    ) -> tuple[dict[str, Any], Symbolic]:
        """The obligation "for all states and actions of the kind, `given` imply `goal`", and the compiler that made it."""
        compiler = Symbolic(kind, catalog.scope(kind), catalog.bounds)
        wanted = compiler.holds(goal)
        taken = [compiler.holds(node) for node in given.values()]
        listed: list[Formula] = [*taken, *compiler.hypotheses]
        if poly.size(wanted) + sum(map(poly.size, listed)) > SIZE_MAX:
            raise Undecided("an obligation too large")
        found: dict[str, Any] = {
            "invariant": name,
            "variables": compiler.variables,
            "hypotheses": listed,
            "goal": wanted,
        }
        return {**found, "digest": digest(found)}, compiler


    def question(catalog: Catalog, kind: str, state: State, uses: Iterable[str] | None = None) -> Question:
        """The theorem that `kind` keeps `state`, from the named rules or from all that have to do with it."""
        goal = after(catalog, kind, state)
        given = hypotheses(catalog, kind)
        chosen = related_rules(goal, given) if uses is None else tuple(name for name in given if name in set(uses))
        named = {name: given[name] for name in chosen}
        obligation, compiler = implication(catalog, kind, f"{kind} keeps {state.id}", named, goal)
        return Question(kind, state, chosen, obligation, compiler.meanings, compiler.words, compiler.currency)


    def used(obligation: dict[str, Any], tree: Any) -> set[int]:
        """The hypotheses, by number, that a certificate names."""
        owner: list[int] = []
        for number, hypothesis in enumerate(obligation["hypotheses"]):
            owner += [number] * _entries(hypothesis)
        found: set[int] = set()
        waiting: list[Any] = [tree]
        while waiting:
            rule, *rest = waiting.pop()
            if rule == "F":
                found |= {index for term in rest[0] for index in term[:-1]}
            elif rule == "S":
                found.add(rest[0])
                waiting += rest[1]
            else:
                waiting += rest[2:]
        return {owner[index] for index in found if index < len(owner)}


    def _entries(formula: Formula) -> int:
        """How many lines of the checker's context a hypothesis takes."""
        return sum(map(_entries, formula[1:])) if formula[0] == "and" else 1


    def checked(catalog: Catalog, kind: str, state: State, entry: Any) -> Theorem | None:
        """The theorem a stored entry is, rebuilt from the catalog and checked; None if it is none of this catalog."""
        try:
            uses, tree = [str(name) for name in entry["uses"]], entry["tree"]
            demanded = question(catalog, kind, state, uses)
            if list(demanded.uses) != uses or entry["obligation"] != demanded.obligation:
                return None
            check_obligation(demanded.obligation, tree)
        except (*_UNREADABLE, Undecided):
            return None
        return Theorem(kind, state.id, demanded.uses, demanded.obligation, tree)


    def read_book(catalog: Catalog, book: Any) -> Book:
        """The theorems of a `theorems.json` that this catalog demands and the checker accepts, by kind and state."""
        found: Book = {}
        entries: Any = cast("dict[str, Any]", book).get("theorems") if isinstance(book, dict) else None
        if not isinstance(entries, list) or cast("dict[str, Any]", book).get("format") != THEOREMS:
            return found
        states = {state.id: state for state in catalog.states}
        for entry in cast("list[Any]", entries):
            if not isinstance(entry, dict):
                continue
            said = cast("dict[str, Any]", entry)
            kind, state = said.get("kind"), states.get(str(said.get("state")))
            if isinstance(kind, str) and kind in catalog.kinds and state is not None:
                theorem = checked(catalog, kind, state, said)
                found |= {} if theorem is None else {(kind, state.id): theorem}
        return found


    def write_book(theorems: Iterable[Theorem]) -> dict[str, Any]:
        return {"format": THEOREMS, "theorems": [theorem.to_json() for theorem in theorems]}

    return locals()


@_part("steward_parts.offline.quiet", "steward_parts.verifier.core.explain")
def _():
    """Stands in for `explain` offline: the words of an explanation are for people, and no verdict depends on them.
    """

    from dataclasses import dataclass, field
    from typing import Any

    @dataclass(frozen=True, slots=True)
    class Explanation:
        sentence: str = ""
        counterexample: dict[str, Any] = field(default_factory=dict[str, Any])


    def explain(*_: Any) -> Explanation:
        return Explanation()

    return locals()


@_part("steward_parts.verifier.core.decide")
def _():
    """Applies rules to one action: what is evaluated, what must be proved, and the words of the verdict.

    An action that is malformed, of an unknown kind or covered by no rule is denied before any rule is read. A
    rule that reads a missing, null or wrongly typed fact is `missing`; a rule over ground facts is evaluated; a
    rule that reads an uncertain fact becomes a `Question` for the prover.
    """

    from dataclasses import dataclass, field
    from fractions import Fraction
    from typing import Any, cast
    from steward_parts.kernel.errors import BadInput
    from steward_parts.verifier.core.evaluate import Evaluator, Undecided, size_of
    from steward_parts.verifier.core.explain import Explanation, explain
    from steward_parts.verifier.core.obligations import digested, obligation
    from steward_parts.verifier.core.polynomials import exact
    from steward_parts.verifier.core.rules import Bounds, Catalog, Invariant
    from steward_parts.verifier.core.types import TIME, Type
    from steward_parts.verifier.core.units import reads
    from steward_parts.verifier.core.values import Uncertain, Value, certain, plain_number, read_fact, read_value

    _ACTION = {"id", "kind", "params", "principal"}
    _TEXT_MAX = 1_000


    @dataclass(frozen=True, slots=True)
    class Situation:
        """An action and its facts, read: ground values, uncertain facts, and why the rest cannot be used."""

        kind: str
        scope: dict[str, Type]
        values: dict[str, Value]
        uncertain: dict[str, Uncertain]
        unusable: dict[str, str]


    @dataclass(frozen=True, slots=True)
    class Answer:
        """What one rule said, and the values that show it when it is not fulfilled."""

        invariant: Invariant
        status: str
        basis: str = "evaluated"
        detail: str = ""
        counterexample: dict[str, Any] = field(default_factory=dict[str, Any])
        witness: dict[str, Any] = field(default_factory=dict[str, Any])

        def finding(self) -> dict[str, str]:
            rule = self.invariant
            named = {"id": rule.id, "basis": self.basis, "status": self.status}
            return {**named, "otherwise": rule.otherwise, "detail": self.detail}


    @dataclass(frozen=True, slots=True)
    class Question:
        """A rule that must hold for every value of uncertain facts. `content` is the obligation without its digest."""

        invariant: Invariant
        content: dict[str, Any]

        @property
        def obligation(self) -> dict[str, Any]:
            return digested(self.content)


    def malformed(catalog: Catalog, action: Any) -> tuple[str, str] | None:
        """(id, sentence) of why an action is refused before any rule, or None."""
        if not isinstance(action, dict) or set(cast("dict[str, Any]", action)) != _ACTION:
            return "malformed-action", "an action has exactly id, kind, params and principal"
        entry = cast("dict[str, Any]", action)
        principal, params, kind = entry["principal"], entry["params"], entry["kind"]
        if not isinstance(principal, dict) or set(cast("dict[str, Any]", principal)) != {"id", "roles"}:
            return "malformed-action", "a principal has exactly id and roles"
        who, roles = cast("dict[str, Any]", principal)["id"], cast("dict[str, Any]", principal)["roles"]
        if not isinstance(roles, list | tuple) or not all(_is_name(role) for role in cast("list[Any]", roles)):
            return "malformed-action", "principal.roles is a list of text"
        if not _is_name(who) or not _is_name(entry["id"]) or not _is_name(kind):
            return "malformed-action", "id, kind and principal.id are text and not empty"
        if kind not in catalog.kinds:
            return "unknown-kind", f"{kind!r} is not a kind of action in this catalog"
        wrong = _wrong_params(catalog.kinds[kind], params)
        if wrong:
            return "malformed-action", wrong
        if not catalog.covering(kind):
            return "uncovered-kind", f"no invariant covers {kind}, so nothing of it is allowed"
        return None


    def _is_name(value: Any) -> bool:
        return isinstance(value, str) and 0 < len(value) <= _TEXT_MAX


    def _wrong_params(kinds: dict[str, Type], params: Any) -> str:
        if not isinstance(params, dict):
            return "params is not an object"
        given = cast("dict[str, Any]", params)
        for name in given:
            if name not in kinds:
                return f"params has no {name!r}; it has {', '.join(kinds) or 'nothing'}"
        for name, kind in kinds.items():
            if name not in given:
                return f"params.{name} is missing"
            try:
                read_value(given[name], kind)
            except BadInput as error:
                return f"params.{name}: {error.what}"
        return ""


    def situation(catalog: Catalog, action: dict[str, Any], facts: dict[str, Any], now: str) -> Situation:
        """Reads a well-formed action and the facts its rules name. Facts nobody reads are not looked at."""
        kind = action["kind"]
        plan = catalog.plan(kind)
        principal = action["principal"]
        found = Situation(kind, plan.scope, {}, {}, {})
        found.values.update({"action.kind": kind, "action.id": action["id"], "principal.id": principal["id"]})
        found.values["principal.roles"] = frozenset(principal["roles"])
        for name, value in action["params"].items():
            found.values[f"action.{name}"] = read_value(value, catalog.kinds[kind][name])
        for name in plan.wanted:
            if name in found.values:
                continue
            if name not in facts and name != "now":
                found.unusable[name] = f"{name} is missing"
                continue
            try:
                value = read_value(now, TIME) if name == "now" else read_fact(facts[name], catalog.facts[name])
            except BadInput as error:
                found.unusable[name] = f"{name}: {error.what}"
                continue
            outside = _outside(value, catalog.bounds[name]) if name in catalog.bounds else ""
            if outside:
                found.unusable[name] = f"{name}: {outside}"
                continue
            (found.uncertain if isinstance(value, Uncertain) else found.values)[name] = value
        return found


    def _outside(value: Value, bounds: Bounds) -> str:
        """Why a fact cannot be what it is said to be: theorems take its bounds as true, so nothing outside them passes."""
        least, most = bounds
        low, high = (value.low, value.high) if isinstance(value, Uncertain) else (size_of(value), size_of(value))
        if least is not None and low < least:
            return f"{plain_number(low)} is less than its least, {plain_number(least)}"
        if most is not None and high > most:
            return f"{plain_number(high)} is more than its most, {plain_number(most)}"
        return ""


    def examine(rule: Invariant, given: Situation) -> Answer | Question:
        """What `rule` says of the situation: an answer, or what must be proved first."""
        if rule.when is not None:
            condition = reads(rule.when)
            unusable = _unusable(condition, given)
            if unusable:
                return Answer(rule, "missing", detail=unusable)
            if condition.isdisjoint(given.uncertain) and _skips(rule, given):
                return Answer(rule, "skipped", detail="its condition does not apply")
        named = rule.named
        unusable = _unusable(named, given)
        if unusable:
            return Answer(rule, "missing", detail=unusable)
        uncertain = {name: fact for name, fact in given.uncertain.items() if name in named} if given.uncertain else {}
        try:
            if uncertain:
                return Question(rule, obligation(rule.id, rule.rule, given.values, uncertain))
            return evaluated(rule, given.values, given.scope)
        except Undecided as undecided:
            return Answer(rule, "unproved", detail=f"not decided: {undecided}")


    def _unusable(named: frozenset[str], given: Situation) -> str:
        if named.isdisjoint(given.unusable):
            return ""
        return "; ".join(given.unusable[name] for name in sorted(named) if name in given.unusable)


    def _skips(rule: Invariant, given: Situation) -> bool:
        try:
            return Evaluator(dict(given.values)).truth(cast("Any", rule.when)) is False
        except Undecided:
            return False


    def evaluated(rule: Invariant, values: dict[str, Value], scope: dict[str, Type]) -> Answer:
        """The rule over ground values: holds, fails or undefined, explained unless it holds."""
        evaluator = Evaluator(dict(values))
        found = evaluator.truth(rule.rule)
        if found is True:
            return Answer(rule, "holds", "evaluated")
        told: Explanation = explain(rule, values, scope)
        if found is False:
            return Answer(rule, "fails", "evaluated", told.sentence, told.counterexample)
        why = evaluator.reasons[-1] if evaluator.reasons else "it has no value"
        return Answer(rule, "undefined", "evaluated", f"undefined: {why}", told.counterexample)


    def at_witness(rule: Invariant, given: Situation, witness: dict[str, Any]) -> Answer | None:
        """The rule where uncertain facts take the witness' values, or None when the witness shows nothing.

        A witness is {fact: "number"} for an interval and {fact: [0, 1, ...]} for a subset, one digit for each
        part.
        """
        values = dict(given.values)
        for name, fact in given.uncertain.items():
            if name not in rule.reads():
                continue
            value = taken(fact, witness.get(name))
            if value is None:
                return None
            values[name] = certain(fact, value)
        try:
            answer = evaluated(rule, values, given.scope)
        except Undecided:
            return None
        if answer.status == "holds":
            return None
        return Answer(rule, answer.status, "evaluated", answer.detail, answer.counterexample, witness)


    def ends(rule: Invariant, given: Situation) -> list[dict[str, Any]]:
        """Two witnesses worth trying on any rule: every uncertain fact at its least, and at its greatest."""
        facts = {name: fact for name, fact in given.uncertain.items() if name in rule.reads()}
        return [
            {
                name: [int((part < 0) == least) for part in fact.parts]
                if fact.is_subset
                else str(fact.low if least else fact.high)
                for name, fact in facts.items()
            }
            for least in (True, False)
        ]


    def taken(fact: Uncertain, chosen: Any) -> Any:
        """The number an uncertain fact becomes, or None if it cannot become that."""
        if fact.is_subset:
            if not isinstance(chosen, list) or len(cast("list[Any]", chosen)) != len(fact.parts):
                return None
            digits = cast("list[Any]", chosen)
            if not all(type(digit) is int and digit in (0, 1) for digit in digits):
                return None
            return sum(part for part, digit in zip(fact.parts, digits, strict=True) if digit)
        try:
            value = exact(Fraction(chosen)) if isinstance(chosen, str) else None
        except (ValueError, ZeroDivisionError):
            return None
        whole = fact.kind.name not in ("int", "money") or (value is not None and value.denominator == 1)
        return value if value is not None and whole and fact.low <= value <= fact.high else None

    return locals()


@_part("steward_parts.verifier.core.dossier")
def _():
    """Puts answers together into a verdict and its proof bundle, and compares a bundle with one rebuilt.
    """

    from collections.abc import Callable
    from typing import Any, cast
    from steward_parts.verifier.core.decide import Answer, Question, Situation, at_witness, ends, examine
    from steward_parts.verifier.core.rules import Catalog, Invariant, State
    from steward_parts.verifier.core.theorems import Book, Theorem, checked

    def _witnessed(question: Question, given: Situation, witness: Any) -> Answer:
        """What the bundle's witness shows; without one, nothing may show at the ends of the intervals either."""
        rule = question.invariant
        tried = [cast("dict[str, Any]", witness)] if isinstance(witness, dict) else ends(rule, given)
        shown = (at_witness(rule, given, one) for one in tried)
        return next((answer for answer in shown if answer is not None), Answer(rule, "unproved", "evaluated"))

    Examine = Callable[[Invariant, Situation], Answer | Question]

    def compared(catalog: Catalog, bundle: dict[str, Any], given: Situation, examined: Examine = examine) -> str:
        """Every finding derived again: ground rules evaluated, obligations rebuilt, witnesses evaluated."""
        claimed = {entry["id"]: entry for entry in bundle["findings"]}
        proved = {entry["invariant"]: entry for entry in bundle["obligations"]}
        plan = catalog.plan(given.kind)
        if [*(rule.id for rule in plan.rules), *(state.id for state in plan.states)] != list(claimed):
            return "the findings are not those of the rules that cover the action"
        for rule in plan.rules:
            entry = claimed[rule.id]
            found = examined(rule, given)
            if isinstance(found, Question):
                if rule.id in proved:
                    entered = proved[rule.id]
                    if entered != {**found.content, "digest": entered["digest"]}:  # the digest was checked before
                        return f"obligation {rule.id}: it is not the one the catalog demands"
                    found = Answer(rule, "holds", "certificate")
                else:
                    found = _witnessed(found, given, cast("dict[str, Any]", bundle["witness"]).get(rule.id))
            if (found.basis, found.status, rule.otherwise) != (entry["basis"], entry["status"], entry["otherwise"]):
                return f"invariant {rule.id}: it {found.status}, and the bundle says it {entry['status']}"
        return ""

    def restated(catalog: Catalog, bundle: dict[str, Any], kind: str, stored: Book) -> str:
        """Every theorem the bundle names is the stored one, or is in it whole and the one this catalog demands."""
        claimed = {entry["id"]: entry for entry in bundle["findings"]}
        named = {entry["state"]: entry for entry in bundle.get("theorems", [])}
        for state in catalog.touched(kind):
            finding, entry = claimed[state.id], named.get(state.id)
            if finding["otherwise"] != "escalate" or (finding["basis"] == "theorem") != (entry is not None):
                return f"state {state.id}: the bundle says it {finding['status']} by {finding['basis']}"
            known_here = stored.get((kind, state.id))
            if entry is None and (known_here is not None or finding["status"] != "unproved"):
                return f"state {state.id}: the bundle says it {finding['status']} without the theorem"
            if entry is not None and not _is_theorem(catalog, kind, state, entry, known_here):
                return f"state {state.id}: its theorem is not the one the catalog demands"
        return ""

    def _is_theorem(catalog: Catalog, kind: str, state: State, entry: dict[str, Any], known_here: Theorem | None) -> bool:
        if known_here is not None and entry["obligation_digest"] == known_here.digest:
            return True
        return "tree" in entry and checked(catalog, kind, state, entry) is not None

    return locals()


@_part("steward_parts.offline.ed25519")
def _():
    """Ed25519 signatures (RFC 8032, section 5.1) verified with integers alone; it only verifies, so it holds no secret.
    """

    import hashlib

    _P = 2**255 - 19
    _ORDER = 2**252 + 27742317777372353535851937790883648493
    _D = -121665 * pow(121666, -1, _P) % _P
    _ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
    Point = tuple[int, int, int, int]
    """x = X/Z, y = Y/Z, x*y = T/Z: extended homogeneous coordinates, section 5.1.4."""

    _NEUTRAL: Point = (0, 1, 1, 0)


    def _add(a: Point, b: Point) -> Point:
        left = (a[1] - a[0]) * (b[1] - b[0]) % _P
        right = (a[1] + a[0]) * (b[1] + b[0]) % _P
        both = 2 * a[3] * b[3] * _D % _P
        double = 2 * a[2] * b[2] % _P
        e, f, g, h = right - left, double - both, double + both, right + left
        return e * f % _P, g * h % _P, f * g % _P, e * h % _P


    def _times(scalar: int, point: Point) -> Point:
        result = _NEUTRAL
        while scalar:
            if scalar & 1:
                result = _add(result, point)
            point = _add(point, point)
            scalar >>= 1
        return result


    def _same(a: Point, b: Point) -> bool:
        return (a[0] * b[2] - b[0] * a[2]) % _P == 0 and (a[1] * b[2] - b[1] * a[2]) % _P == 0


    def _decoded(data: bytes) -> Point | None:
        """The point of 32 bytes (section 5.1.3); None for bytes that are no point, or are not its one encoding."""
        number = int.from_bytes(data, "little")
        sign, y = number >> 255, number & (2**255 - 1)
        if y >= _P:
            return None
        square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
        x = pow(square, (_P + 3) // 8, _P)
        if (x * x - square) % _P:
            x = x * _ROOT_OF_MINUS_ONE % _P
        if (x * x - square) % _P or (x == 0 and sign):
            return None
        x = _P - x if x & 1 != sign else x
        return x, y, 1, x * y % _P


    _BASE = _decoded((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


    def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is one of `message` by the key `public` (section 5.1.7)."""
        if len(public) != 32 or len(signature) != 64 or _BASE is None:
            return False
        key, commitment = _decoded(public), _decoded(signature[:32])
        scalar = int.from_bytes(signature[32:], "little")
        if key is None or commitment is None or scalar >= _ORDER:
            return False
        challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _ORDER
        return _same(_times(scalar, _BASE), _add(commitment, _times(challenge, key)))

    return locals()


@_part("steward_parts.offline.history")
def _():
    """An exported log, line by line: strict reading, the leaf of each event, the tree, signed checkpoints.

    Everything is read in one form only, canonical JSON, so a file says one thing in one way and no byte of it is idle.
    """

    import hashlib
    import json
    import re
    from base64 import b64decode
    from json.encoder import encode_basestring
    from typing import Any, cast
    from steward_parts.events.core.merkle import extend, leaf_hash, root_of_frontier
    from steward_parts.events.store.checkpoints import note_body
    from steward_parts.offline.ed25519 import is_signed
    from steward_parts.verifier.core.check import Refused, require

    LINE_BYTES_MAX = 16_000_000
    _ENTRY = ("causationid", "correlationid", "id", "position", "recorded_at", "schemaversion", "source")
    _COLUMNS = tuple(sorted((*_ENTRY, "data", "subject", "time", "type")))
    _TEXTS = tuple(name for name in _COLUMNS if name not in ("data", "position", "schemaversion"))
    _EVENT = frozenset(_COLUMNS)
    _CHECKPOINT = frozenset({"size", "root", "key", "signature"})


    def _inexact(literal: str) -> Any:
        raise Refused(f"{literal[:40]} is not an integer")


    _decode = json.JSONDecoder(parse_float=_inexact, parse_constant=_inexact).decode
    _encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


    def canonical_bytes(value: Any) -> bytes:
        return _encode(value).encode()


    def sha256(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()


    def read_json(text: bytes) -> Any:
        """The value of a line of JSON without floats; whoever asks must see to it that the line is its canonical form."""
        require(len(text) <= LINE_BYTES_MAX, "the line is too long")
        try:
            return _decode(text.decode())
        except (ValueError, RecursionError) as error:
            raise Refused(f"not JSON: {type(error).__name__}") from None


    def read_canonical(text: bytes) -> Any:
        """The value whose canonical JSON is `text`; `Refused` for any other spelling of it, floats and repeated keys."""
        value = read_json(text)
        try:
            exact = canonical_bytes(value) == text
        except (ValueError, RecursionError) as error:
            raise Refused(f"not JSON: {type(error).__name__}") from None
        require(exact, "not in canonical form")
        return value


    def objects(value: Any, what: str) -> dict[str, Any]:
        require(type(value) is dict, f"{what} is not an object")
        return cast("dict[str, Any]", value)


    def read_object(text: bytes, keys: frozenset[str], what: str) -> dict[str, Any]:
        """A canonical object with exactly these keys."""
        value = objects(read_canonical(text), what)
        require(frozenset(value) == keys, f"{what} has other keys than {', '.join(sorted(keys))}")
        return value


    def read_event(line: bytes) -> tuple[dict[str, Any], bytes]:
        """An event and its Merkle leaf as the log computes it: over every column, the body through its digest.

        The canonical text of line, body and entry is put together from the same parts, so each is encoded once.
        """
        require(len(line) <= LINE_BYTES_MAX, "the line is too long")
        try:
            event = objects(_decode(line.decode()), "the event")
            require(frozenset(event) == _EVENT, "the event has other keys")
            part = {name: _text(event[name], optional=name.endswith("ationid")) for name in _TEXTS}
            part |= {name: _count(event[name]) for name in ("position", "schemaversion")}
            part["data"] = _encode(objects(event["data"], "the data"))
            body = hashlib.sha256(_joined(part, "data", "subject", "time", "type").encode()).hexdigest()
            entry = _joined({**part, "body": f'"{body}"'}, "body", *_ENTRY).encode()
            exact = _joined(part, *_COLUMNS).encode() == line
        except (ValueError, RecursionError) as error:
            raise Refused(f"not JSON: {type(error).__name__}") from None
        require(exact, "not in canonical form")
        return event, leaf_hash(entry)


    def _joined(part: dict[str, str], *names: str) -> str:
        """A canonical object of these parts; the names are given in their order."""
        return "{" + ",".join([f'"{name}":{part[name]}' for name in names]) + "}"


    def _text(value: Any, *, optional: bool) -> str:
        require(type(value) is str or (optional and value is None), "a column is not text")
        return "null" if value is None else encode_basestring(value)


    def _count(value: Any) -> str:
        require(type(value) is int, "a column is not a number")
        return str(value)


    class Tree:
        """The RFC 9162 tree of the leaves so far, and its root at the sizes somebody asks about."""

        def __init__(self, sizes: set[int]) -> None:
            self.size = 0
            self.roots: dict[int, str] = {}
            self._frontier: list[bytes] = []
            self._asked = sizes

        def add(self, leaf: bytes) -> None:
            self.size, self._frontier = extend(self.size, self._frontier, [leaf])
            if self.size in self._asked:
                self.roots[self.size] = self.root

        @property
        def root(self) -> str:
            return root_of_frontier(self._frontier).hex()


    def read_keys(text: str) -> dict[str, bytes]:
        """Public keys by id, one `id base64` a line; an id is the start of the key's SHA-256, so it cannot be borrowed."""
        found: dict[str, bytes] = {}
        for line in text.splitlines():
            name, _, encoded = line.strip().partition(" ")
            if not name:
                continue
            try:
                public = b64decode(encoded, validate=True)
            except ValueError:
                raise Refused(f"the key {name[:40]} cannot be read") from None
            require(len(public) == 32 and sha256(public)[:16] == name, f"the key {name[:40]} is not what its id says")
            found[name] = public
        require(bool(found), "no public key")
        return found


    def read_checkpoint(document: Any, keys: dict[str, bytes]) -> tuple[int, str]:
        """(size, root) of a checkpoint that one of `keys` signed; else `Refused`. Its `time`, if any, is not signed."""
        given = objects(document, "a checkpoint")
        require(frozenset(given) - {"time"} == _CHECKPOINT, "it is no checkpoint")
        size, root, key, signature = given["size"], given["root"], given["key"], given["signature"]
        require(type(size) is int and size >= 0, "its size is no number")
        require(type(root) is str and re.fullmatch("[0-9a-f]{64}", root) is not None, "its root is no digest")
        require(type(key) is str and key in keys, "it is signed by a key that was not given")
        try:
            signed = is_signed(keys[key], note_body(size, root), b64decode(signature, validate=True))
        except (ValueError, TypeError):
            signed = False
        require(signed, "its signature is wrong")
        return size, root

    return locals()


@_part("steward_parts.offline.replay")
def _():
    """One decision derived again: from the catalog's canonical document and the facts of its bundle to the verdict.

    The bundle is checked by the trusted checker; then every rule that covers the action is read from the catalog, ground
    rules are evaluated, obligations are built anew and compared with those that were proved.
    """

    from dataclasses import dataclass
    from fractions import Fraction
    from typing import Any, cast
    from steward_parts.kernel.errors import BadInput
    from steward_parts.offline.wording import TRIES_MAX, WORDING, Asked
    from steward_parts.verifier.core.bundle import check_parts
    from steward_parts.verifier.core.check import Refused, require
    from steward_parts.verifier.core.decide import Answer, Question, Situation, examine, malformed, situation
    from steward_parts.verifier.core.dossier import compared, restated
    from steward_parts.verifier.core.rules import Bounds, Catalog, Invariant, State
    from steward_parts.verifier.core.syntax import from_json
    from steward_parts.verifier.core.theorems import Book, known, read_book
    from steward_parts.verifier.core.types import Type, read_type, type_json

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

    return locals()


@_part("steward_parts.offline.story")
def _():
    """What the log says of each action, in order: proposed, decided on evidence, and an outcome the verdict permits.
    """

    from dataclasses import dataclass
    from typing import Any

    EFFECTS = frozenset({"ActionShadowed", "ActionExecuted", "ActionSettled", "ActionCompensated"})
    ENDS = frozenset({"ActionRefused", "ActionHeld", "ActionUnknown", *EFFECTS})
    PERSONS = frozenset({"ActionApproved", "ActionRejected", "ActionExpired", "ActionCancelled", "ActionFailed"})
    KNOWN = frozenset({"ActionProposed", "DecisionMade", *ENDS, *PERSONS})
    OFTEN = frozenset({"ActionApproved", "ActionUnknown"})
    """Told more than once: several people agree, several attempts go unanswered."""
    OURS = "steward/"


    @dataclass(slots=True)
    class Told:
        """One action so far."""

        proposed: dict[str, Any]
        time: str
        verdict: str = ""
        ended: bool = False
        approved: bool = False
        seen: str = ""


    class Stories:
        """Every action of the log. Each method returns what is wrong, or nothing."""

        def __init__(self) -> None:
            self.told: dict[str, Told] = {}
            self.approved_effects = 0

        def proposed(self, event: dict[str, Any]) -> str:
            name = event["data"].get("action_id")
            if type(name) is not str or name in self.told:
                return "proposed twice, or without an id"
            self.told[name] = Told(event["data"], event["time"])
            return ""

        def decided(self, event: dict[str, Any], bundle: dict[str, Any] | None) -> str:
            """A decision and its evidence, which must be of the very action that was proposed."""
            told = self.told.get(str(event["data"].get("action_id")))
            if told is None:
                return "decided and never proposed"
            if told.verdict:
                return "decided twice"
            told.verdict = str(event["data"].get("verdict"))
            proposed, told.proposed = told.proposed, {}
            if bundle is None:
                return ""
            if bundle["verdict"] != told.verdict:
                return f"the log says {told.verdict}, the evidence {bundle['verdict']}"
            action: Any = bundle["action"]
            try:
                said = (action["id"], action["kind"], action["params"], action["principal"]["id"], bundle["now"])
            except (KeyError, TypeError):
                return "the evidence is of no action"
            logged = (proposed["action_id"], proposed.get("kind"), proposed.get("params"), proposed.get("proposer"))
            return "" if said == (*logged, told.time) else "the evidence is of another action than was proposed"

        def ended(self, event: dict[str, Any]) -> str:
            """What became of an action, against what its verdict permits."""
            kind, told = event["type"], self.told.get(str(event["data"].get("action_id")))
            if told is None or not told.verdict:
                return f"{kind} without a decision"
            told.ended = True
            if f" {kind}" in told.seen and kind not in OFTEN:
                return f"{kind} twice"
            told.seen += f" {kind}"
            told.approved = told.approved or kind == "ActionApproved"
            if told.verdict == "DENY" and kind not in ("ActionRefused", "ActionExpired", "ActionCancelled"):
                return f"{kind} of an action that was denied"
            if kind in EFFECTS and told.verdict != "ALLOW":
                if not told.approved:
                    return f"{kind} without an ALLOW and without an approval"
                self.approved_effects += 1
            return ""

        @property
        def waiting(self) -> int:
            """Actions that had not come to an end when the export was made."""
            return sum(not told.ended for told in self.told.values())

    return locals()


@_part("steward_parts.offline.program")
def _():
    """The program: streams an export past the checkers, and says what holds, what does not and what is taken on trust.
    """

    import argparse
    import gc
    import json
    import sys
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any
    from steward_parts.events.core.entry import event_key
    from steward_parts.offline.history import Tree, canonical_bytes, read_canonical, read_checkpoint, read_event, read_json, read_keys, read_object, sha256
    from steward_parts.offline.replay import Replay, catalog_of
    from steward_parts.offline.story import ENDS, KNOWN, OURS, PERSONS, Stories
    from steward_parts.offline.wording import WORDING
    from steward_parts.verifier.core.check import Refused, require

    FORMAT = "steward-export/1"
    FILES = {"export.json", "checkpoint.json", "events.jsonl", "bundles.jsonl", "catalogs", "theorems", "steward-verify.py"}
    SHOWN_MAX = 1_000
    _MANIFEST = frozenset({"format", "size", "root", "decisions"})
    _INSIDE = frozenset({"size", "root", "key", "signature"})
    TRUSTED = (
        "facts: what a decision read of orders, money and stock was true when it was read",
        "ranges: an interval or a set of amounts in flight held the true value",
        "catalog: the rules say what the business means; limits are those the decisions name (listed under limits)",
        "effects: what a request does outside is what the request says",
        "gate: nothing acted except through the gate that wrote this log",
        "checkpoint and key: they were kept where whoever controls the database could not change them",
        "this program, Python's integers, fractions, hashes and Unicode tables",
    )


    class Unreadable(Exception):
        """The export, the checkpoint or the key cannot be read at all."""


    class Audit:
        """One export under check."""

        def __init__(self, folder: Path, checkpoints: list[tuple[int, str]], keys: dict[str, bytes]) -> None:
            self.folder, self.checkpoints, self.keys = folder, checkpoints, keys
            self.invalid: list[dict[str, str]] = []
            self.wrong = 0
            self.consistent = True
            self.decisions = self.certificates = self.theorems = 0
            self.verdicts: dict[str, int] = {}
            self.limits: dict[tuple[str, str], list[Any]] = {}
            self.tree = Tree({size for size, _ in checkpoints})
            self.stories = Stories()
            self.names: set[bytes] = set()
            self.replay = Replay({})

        def violation(self, where: str, row: str, what: str) -> None:
            self.wrong += 1
            self.consistent = self.consistent and where not in ("checkpoint", "event", "export")
            if len(self.invalid) < SHOWN_MAX:
                self.invalid.append({"where": where, "row": row, "what": what})

        def run(self) -> None:
            for name in sorted({entry.name for entry in self.folder.iterdir()} ^ FILES):
                self.violation("export", name, "missing" if name in FILES else "no file of an export")
            self._catalogs()
            self._theorems()
            bundles = self._lines("bundles.jsonl")
            for number, line in enumerate(self._lines("events.jsonl"), 1):
                self._event(number, line, bundles)
            if next(bundles, None) is not None:
                self.violation("bundle", "after the last decision", "evidence that no decision names")
            for digest in sorted(set(self.replay.catalogs) - self.replay.used):
                self.violation("catalog", digest, "no decision was made under it")
            for digest, theorem in self.replay.unnamed():
                self.violation("theorem", theorem, f"no decision under catalog {digest} names it")
            self._ends()

        def _lines(self, name: str) -> Iterator[bytes]:
            """The lines of a file without their ends; each must end."""
            path = self.folder / name
            if not path.is_file():
                return
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    if not line.endswith(b"\n"):
                        self.violation("export", f"{name} line {number}", "the line has no end")
                    yield line.removesuffix(b"\n")

        def _catalogs(self) -> None:
            folder = self.folder / "catalogs"
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                try:
                    text = path.read_bytes()
                    document = read_canonical(text.removesuffix(b"\n"))
                    digest = sha256(canonical_bytes(document))
                    if path.name != f"{digest}.json" or not text.endswith(b"\n"):
                        self.violation("catalog", path.name, "is not what its name says")
                        continue
                    self.replay.catalogs[digest] = catalog_of(document, digest)
                except (Refused, OSError) as error:
                    self.violation("catalog", path.name, str(error))

        def _theorems(self) -> None:
            """The theorems that decisions name: each rebuilt from its catalog and checked."""
            folder = self.folder / "theorems"
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                try:
                    text = path.read_bytes()
                    require(text.endswith(b"\n") and path.suffix == ".json", "is not a file of theorems")
                    problem = self.replay.theorems(path.stem, read_canonical(text.removesuffix(b"\n")))
                    self.theorems += len(self.replay.books.get(path.stem, ()))
                except (Refused, OSError) as error:
                    problem = str(error)
                if problem:
                    self.violation("theorem", path.name, problem)

        def _event(self, number: int, line: bytes, bundles: Iterator[bytes]) -> None:
            row = f"position {number}"
            try:
                event, leaf = read_event(line)
                self.tree.add(leaf)
            except Refused as refused:
                self.violation("event", row, str(refused))
                return
            name = event_key(event["source"], event["id"])
            if name in self.names:
                self.violation("event", row, f"{event['id']} of {event['source']} stands in the log twice")
            self.names.add(name)
            if event["position"] != number:
                self.violation("event", row, f"it says it is position {event['position']}")
            if event["type"] in KNOWN:
                if not str(event["source"]).startswith(OURS):
                    self.violation("event", row, f"{event['type']} from outside")
                problem = self._told(row, event, bundles)
                if problem:
                    self.violation("action", str(event["data"].get("action_id")), problem)

        def _told(self, row: str, event: dict[str, Any], bundles: Iterator[bytes]) -> str:
            if event["type"] == "ActionProposed":
                return self.stories.proposed(event)
            if event["type"] == "DecisionMade":
                self.decisions += 1
                return self.stories.decided(event, self._bundle(row, event["data"], next(bundles, None)))
            return self.stories.ended(event) if event["type"] in ENDS | PERSONS else ""

        def _bundle(self, row: str, decided: dict[str, Any], line: bytes | None) -> dict[str, Any] | None:
            """The evidence of a decision, if it is the one the log names and it stands."""
            name = str(decided.get("action_id"))
            if line is None or sha256(line) != decided.get("bundle_digest"):
                self.violation("bundle", name, "missing" if line is None else f"differs from its digest at {row}")
                return None
            try:
                bundle = read_json(line)
            except Refused as refused:
                self.violation("bundle", name, str(refused))
                return None
            reason = self.replay.bundle(bundle, line)
            if reason:
                self.violation("bundle", name, reason)
                return None
            self.certificates += len(bundle["certificates"])
            self.verdicts[bundle["verdict"]] = self.verdicts.get(bundle["verdict"], 0) + 1
            for fact, value in bundle["facts"].items():
                if fact.startswith("limit."):
                    seen = self.limits.setdefault((fact, repr(value)), [value, self.decisions, 0, 0])
                    seen[2:] = self.decisions, seen[3] + 1
            return bundle

        def _ends(self) -> None:
            """The tree against the checkpoint inside, and against those kept outside."""
            size, root = self.tree.size, self.tree.root
            try:
                manifest = read_object(self._whole("export.json"), _MANIFEST, "export.json")
                said = {"format": FORMAT, "size": size, "root": root, "decisions": self.decisions}
                for key in sorted(_MANIFEST):
                    if manifest[key] != said[key]:
                        self.violation("export", "export.json", f"{key} is {manifest[key]}, found {said[key]}")
            except Refused as refused:
                self.violation("export", "export.json", str(refused))
            try:
                inside = read_object(self._whole("checkpoint.json"), _INSIDE, "checkpoint.json")
                if read_checkpoint(inside, self.keys) != (size, root):
                    self.violation("export", "checkpoint.json", f"it is not of these {size} events")
            except Refused as refused:
                self.violation("export", "checkpoint.json", str(refused))
            for expected, published in self.checkpoints:
                if expected > size:
                    what = f"{expected} events were signed for, the export has {size}"
                    self.violation("checkpoint", f"size {expected}", what)
                elif self.tree.roots.get(expected, root if expected == size else "") != published:
                    self.violation("checkpoint", f"size {expected}", "the events up to here are not those signed for")

        def _whole(self, name: str) -> bytes:
            try:
                text = (self.folder / name).read_bytes()
            except OSError:
                raise Refused("missing") from None
            if not text.endswith(b"\n"):
                raise Refused("the line has no end")
            return text.removesuffix(b"\n")

        def report(self) -> dict[str, Any]:
            wording = [
                {"pattern": pattern, "text": text, "taken_as": answer, "decisions": count}
                for (pattern, text, answer), count in sorted(self.replay.wording.items())
            ]
            limits = [
                {"name": name, "value": seen[0], "first": seen[1], "last": seen[2], "decisions": seen[3]}
                for (name, _), seen in sorted(self.limits.items())
            ]
            return {
                "size": self.tree.size,
                "root": self.tree.root,
                "covered": max((size for size, _ in self.checkpoints), default=0),
                "decisions": self.decisions,
                "certificates": self.certificates,
                "theorems": self.theorems,
                "verdicts": dict(sorted(self.verdicts.items())),
                "approved_effects": self.stories.approved_effects,
                "waiting": self.stories.waiting,
                "invalid": self.invalid,
                "invalid_count": self.wrong,
                "consistent": self.consistent,
                "limits": limits,
                "wording_rerun": WORDING.rerun,
                "wording": wording[:SHOWN_MAX],
                "trusted": list(TRUSTED),
            }


    def read_outside(checkpoint: Path, key: Path) -> tuple[list[tuple[int, str]], dict[str, bytes]]:
        """What the auditor kept: checkpoints, one JSON object a line, and public keys. `Unreadable` if there is none."""
        try:
            keys = read_keys(key.read_text(encoding="utf-8"))
            lines = [line for line in checkpoint.read_text(encoding="utf-8").splitlines() if line.strip()]
            found = [read_checkpoint(json.loads(line), keys) for line in lines]
        except (OSError, ValueError, Refused) as error:
            raise Unreadable(f"{checkpoint} or {key}: {error}") from None
        if not found:
            raise Unreadable(f"{checkpoint} holds no checkpoint")
        return found, keys


    def audit_export(folder: Path, checkpoint: Path, key: Path) -> dict[str, Any]:
        """The report on an export; `Unreadable` if there is nothing to report on."""
        checkpoints, keys = read_outside(checkpoint, key)
        if not (folder / "events.jsonl").is_file():
            raise Unreadable(f"{folder} is no export: it has no events.jsonl")
        gc.set_threshold(200_000)  # little here is cyclic, and looking for it costs a tenth of the time
        audit = Audit(folder, checkpoints, keys)
        audit.run()
        return audit.report()


    def text_of(report: dict[str, Any]) -> str:
        """The report for a person."""
        wrong = [f"{entry['where']} {entry['row']}: {entry['what']}" for entry in report["invalid"]]
        more = report["invalid_count"] - len(wrong)
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in report["verdicts"].items())
        end = "NOT as it was signed for" if report["invalid_count"] else "all as it was signed for"
        wording = sum(entry["decisions"] for entry in report["wording"])
        lines = [
            *wrong,
            *([f"and {more} more"] if more else []),
            f"{report['size']} events, {report['covered']} of them under the checkpoint given, root {report['root']}",
            f"{report['decisions']} decisions derived again: {verdicts or 'none'}",
            f"{report['certificates']} certificates and {report['theorems']} theorems checked",
            f"text patterns: {report['wording_rerun']} run again, {wording} answers taken from the record",
            "taken on trust:",
            *(f"  {line}" for line in report["trusted"]),
            *(
                f"  {entry['name']} = {json.dumps(entry['value'])} in decisions {entry['first']} to {entry['last']}"
                for entry in report["limits"]
            ),
            end,
        ]
        return "\n".join(lines)


    def main(arguments: list[str] | None = None) -> int:
        """0 if everything holds, 1 if not, 2 if it cannot be read."""
        about = "Re-proves an exported history offline against a checkpoint kept elsewhere."
        parser = argparse.ArgumentParser(prog="steward-verify", description=about)
        parser.add_argument("export", type=Path, help="the folder that steward audit export wrote")
        parser.add_argument("--checkpoint", type=Path, required=True, help="the signed checkpoint you kept, JSON lines")
        parser.add_argument("--key", type=Path, required=True, help="the public keys you kept, one `id base64` a line")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
        options = parser.parse_args(arguments)
        try:
            report = audit_export(options.export, options.checkpoint, options.key)
        except Unreadable as unreadable:
            sys.stderr.write(f"error: {unreadable}\n")
            return 2
        sys.stdout.write((json.dumps(report, ensure_ascii=False) if options.json else text_of(report)) + "\n")
        return 1 if report["invalid_count"] else 0

    return locals()


if __name__ == "__main__":
    sys.exit(_.main())
