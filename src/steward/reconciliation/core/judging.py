"""One subject of one service: what may be billed of it, taken up line by line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from fractions import Fraction

from steward.contracts.base import JsonObject
from steward.contracts.invoice import Audited, Billed, Claim, InvoiceLine, Judged, Note, ServiceTerms, VendorContract
from steward.contracts.settlement import InvoiceBreakType
from steward.kernel.money import round_half_even
from steward.reconciliation.core.owing import Evidence, Happened, Subject, counted, unit_price, valued, worth

_MOST_NAMED = 3
_ROUNDING = 1  # minor unit a line, where a ratio is applied


@dataclass
class Verdicts:
    """What was found so far."""

    judged: dict[str, Judged] = field(default_factory=dict[str, Judged])
    claims: dict[str, Claim] = field(default_factory=dict[str, Claim])
    notes: list[Note] = field(default_factory=list[Note])

    def agree(self, billed: Billed, rounding: int = 0, *, on_trust: bool = False) -> None:
        line = billed.line
        self.judged[billed.key] = Judged(
            billed.key, line.currency, line.amount_minor, line.amount_minor, 0, rounding, on_trust
        )

    def dispute(
        self, billed: Billed, kind: InvoiceBreakType, agreed: int, evidence: JsonObject, *, on_trust: bool = False
    ) -> None:
        line = billed.line
        disputed = line.amount_minor - agreed
        self.judged[billed.key] = Judged(billed.key, line.currency, line.amount_minor, agreed, disputed, 0, on_trust)
        told: JsonObject = {
            "line": line.number, "service": line.service, "subject": line.subject, "day": line.day.isoformat(),
            "quantity": line.quantity, "billed_minor": line.amount_minor, "agreed_minor": agreed,
        }  # fmt: skip
        told |= {
            name: value
            for name, value in (("sku", line.sku), ("unit_minor", line.unit_minor))
            if value not in ("", None)
        }
        self.claims[billed.key] = Claim(
            kind, "invoice", billed.key, billed.vendor, billed.invoice, line.currency, disputed, {**told, **evidence}
        )

    def whole(self, billed: Billed, kind: InvoiceBreakType, evidence: JsonObject) -> None:
        """All of a charge is in dispute; a credit or nothing is taken as it is."""
        if billed.line.amount_minor > 0:
            self.dispute(billed, kind, 0, evidence)
        else:
            self.agree(billed)

    def settle(self, key: str, amount: int) -> int:
        """A credit settles a dispute, or part of it; how much."""
        claim = self.claims.get(key)
        if claim is None:
            return 0
        cut = min(amount, claim.amount_minor)
        one = self.judged[key]
        agreed, disputed = one.agreed_minor + cut, one.disputed_minor - cut
        self.judged[key] = replace(one, agreed_minor=agreed, disputed_minor=disputed)
        if disputed:
            evidence = {**claim.evidence, "agreed_minor": agreed, "credited_minor": cut}
            self.claims[key] = replace(claim, amount_minor=disputed, evidence=evidence)
        else:
            del self.claims[key]
        return cut

    def audited(self) -> Audited:
        return Audited(
            tuple(self.judged[key] for key in sorted(self.judged)),
            tuple(self.claims[key] for key in sorted(self.claims)),
            tuple(sorted(self.notes, key=lambda one: (one.type, one.key))),
        )


@dataclass(frozen=True, slots=True)
class Context:
    """By what a group is judged; `terms` is None where the contract has no price on that day."""

    contract: VendorContract
    terms: ServiceTerms | None
    about: Subject
    party: str
    happened: Happened
    begins: date


@dataclass
class Group:
    """Lines about one subject of one service. What is left of it after them nobody billed."""

    context: Context
    evidence: Evidence | None  # None: the service needs no fact
    is_valued: bool
    lines: list[Billed] = field(default_factory=list[Billed])
    left: int = 0  # units, or minor units where a value is billed
    units: int = 0  # agreed on
    under: dict[str, int] = field(default_factory=dict[str, int])  # by line: billed below its price
    credited: int = 0  # credits that settled no dispute
    price: Fraction | None = None
    price_source: str = ""
    on_trust: bool = False

    @property
    def charges(self) -> list[Billed]:
        return [one for one in self.lines if one.line.amount_minor >= 0]

    @property
    def is_noted(self) -> bool:
        """Whether nothing of it is left to note as not billed: what lines lack of a value is noted with them."""
        return not self.left or self.on_trust or self.is_valued

    def judge(self, verdicts: Verdicts) -> None:
        terms = self.context.terms
        if terms is None:
            for one in self.lines:
                account = self.context.contract.services[0].account
                why = "the contract has no price for it on that day"
                verdicts.whole(one, "invoice_service", {"why": why, "account": account})
            return
        self._open(terms)
        earlier: list[Billed] = []
        for one in self.charges:
            if one.line.currency != self.context.contract.currency:
                why = f"the contract is in {self.context.contract.currency}"
                self.left -= min(self.left, self.left if self.is_valued else one.line.quantity)
                verdicts.whole(one, "invoice_currency", self._told(terms, earlier, why))
            elif self.is_valued:
                self._value(verdicts, terms, one, earlier)
            else:
                self._count(verdicts, terms, one, earlier)
            earlier.append(one)
        if self.is_valued and earlier and self.left > _tolerance(terms):
            self.under[earlier[-1].key] = self.left
        self._credits(verdicts)

    def _open(self, terms: ServiceTerms) -> None:
        """What may be billed, before the first line."""
        charges, known, context = self.charges, self.evidence, self.context
        if not charges:
            return
        first = charges[0].line
        self.on_trust = bool(known and not known.facts and first.day < context.begins)
        if known is None:
            self.left = first.quantity if terms.basis == "told" else 1
        elif self.is_valued and not self.on_trust:
            moment, currency = moment_of(first), context.contract.currency
            value = worth(terms, context.about, known.facts, context.happened, moment, currency)
            self.on_trust = value is None
            self.left = first.amount_minor if value is None else valued(terms, value)
        elif self.on_trust:
            self.left = first.amount_minor if self.is_valued else first.quantity
        else:
            self.left = known.units
        if terms.basis == "receipt" and known is not None:
            found = unit_price(context.about, context.party, context.happened, known.facts, context.contract.currency)
            self.price, self.price_source = found
            self.on_trust = self.on_trust or (bool(known.facts) and self.price is None)

    def _cost(self, terms: ServiceTerms, quantity: int, line: InvoiceLine) -> int:
        """What so many units cost by contract or purchase order; what the line says where nobody knows."""
        if terms.basis != "receipt":
            return counted(terms, quantity)
        if self.price is None:
            return line.amount_minor * quantity // line.quantity
        return round_half_even(self.price * quantity)

    def _count(self, verdicts: Verdicts, terms: ServiceTerms, billed: Billed, earlier: list[Billed]) -> None:
        line = billed.line
        allowed = min(line.quantity, self.left)
        owed = self._cost(terms, allowed, line)
        fresh = self.left
        self.left -= allowed
        self.units += allowed
        if line.amount_minor <= owed:
            if allowed == line.quantity and line.amount_minor < owed:
                self.under[billed.key] = owed - line.amount_minor
            verdicts.agree(billed, on_trust=self.on_trust)
            return
        kind = self._dear(terms, line) if allowed == line.quantity else self._many(line, earlier, fresh)
        verdicts.dispute(
            billed, kind, owed, self._told(terms, earlier, self._why(kind), allowed), on_trust=self.on_trust
        )

    def _dear(self, terms: ServiceTerms, line: InvoiceLine) -> InvoiceBreakType:
        """Which word is right where the number of units is, and the amount is not."""
        unit = self.price if terms.basis == "receipt" else terms.unit_minor
        if terms.basis == "receipt" and line.unit_minor is not None and line.unit_minor != unit:
            return "invoice_price"
        if (
            line.unit_minor is not None
            and line.unit_minor == unit
            and line.unit_minor * line.quantity != line.amount_minor
        ):
            return "invoice_sum"
        return "invoice_overcharge"

    def _many(self, line: InvoiceLine, earlier: list[Billed], fresh: int) -> InvoiceBreakType:
        """Which word is right where more units are billed than there were."""
        is_goods = self.context.terms is not None and self.context.terms.basis in ("receipt", "piece")
        if self._is_nothing():
            ordered = self.context.happened.of("ordered", self.context.about.subject, self.context.party)
            return "invoice_quantity" if is_goods and ordered else "invoice_unordered"
        if any(_same(one.line, line) for one in earlier) or (fresh == 0 and earlier and not is_goods):
            return "invoice_twice"
        return "invoice_quantity"

    def _is_nothing(self) -> bool:
        return self.evidence is not None and not self.evidence.facts and not self.on_trust

    def _value(self, verdicts: Verdicts, terms: ServiceTerms, billed: Billed, earlier: list[Billed]) -> None:
        line = billed.line
        over = line.amount_minor - self.left
        fresh = self.left
        agreed = min(line.amount_minor, self.left)
        self.left -= agreed
        if over <= 0 or (fresh > 0 and over <= _tolerance(terms)):
            verdicts.agree(billed, max(over, 0), on_trust=self.on_trust)
            self.units += 1
            return
        kind: InvoiceBreakType = "invoice_overcharge"
        if self._is_nothing():
            kind = "invoice_unordered"
        elif any(_same(one.line, line) for one in earlier) or (fresh == 0 and earlier):
            kind = "invoice_twice"
        self.units += 1 if agreed else 0
        verdicts.dispute(billed, kind, agreed, self._told(terms, earlier, self._why(kind)), on_trust=self.on_trust)

    def _credits(self, verdicts: Verdicts) -> None:
        given = 0
        for one in self.lines:
            if one.line.amount_minor < 0:
                verdicts.agree(one)
                given += -one.line.amount_minor if one.line.currency == self.context.contract.currency else 0
        self.credited = given

    def release(self, verdicts: Verdicts) -> None:
        """What is left of the credits settles disputes, the latest first."""
        for one in reversed(self.charges):
            if self.credited and one.line.currency == self.context.contract.currency:
                self.credited -= verdicts.settle(one.key, self.credited)

    def _why(self, kind: InvoiceBreakType) -> str:
        return self.evidence.why if kind in ("invoice_unordered", "invoice_quantity") and self.evidence else ""

    def _told(self, terms: ServiceTerms, earlier: list[Billed], why: str, allowed: int | None = None) -> JsonObject:
        """Contract, facts and earlier lines, as far as a person needs them to claim."""
        contract: JsonObject = {"contract": self.context.contract.name, "source": self.context.contract.source}
        for name in ("unit_minor", "ratio", "fixed_minor", "minimum_minor"):
            if value := getattr(terms, name):
                contract[name] = value
        if self.price is not None:
            contract |= {"unit_price": str(self.price), "price_from": self.price_source}
        facts = self.evidence.facts if self.evidence else ()
        told: JsonObject = {
            "terms": contract,
            "account": terms.account,
            "happened": [f"{one.kind} {one.key}" for one in facts[:_MOST_NAMED]],
        }
        if allowed is not None:
            told["allowed_quantity"] = allowed
        if earlier:
            told["earlier"] = [one.key for one in earlier[:_MOST_NAMED]]
        return told | ({"why": why} if why else {})


def _tolerance(terms: ServiceTerms) -> int:
    """Minor units a line may be out where its price is rounded."""
    return 0 if Fraction(terms.ratio or 0) == 1 else _ROUNDING


def moment_of(line: InvoiceLine) -> datetime:
    """When a line was charged: its own moment, or the beginning of its day."""
    return line.at or datetime.combine(line.day, time(), UTC)


def _same(one: InvoiceLine, other: InvoiceLine) -> bool:
    """The same charge again, on whatever day: of goods a bill tells its own day."""
    return (one.quantity, one.amount_minor) == (other.quantity, other.amount_minor)
