"""A shop with a granted budget, and proposals to set some of it aside."""

from dataclasses import replace

import pytest

from steward.contracts.action import ActionProposal, Principal
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms


def money(amount_minor, currency="GBP"):
    return {"amount_minor": amount_minor, "currency": currency}


def reserve(key, amount_minor, at, budget="ads", currency="GBP", proposer="agent:budget-keeper", **more):
    return ActionProposal(
        id=derived_id("act", unix_ms(at), f"spend.reserve:{key}"),
        key=f"spend.reserve:{key}",
        kind="spend.reserve",
        params={"budget": budget, "amount": money(amount_minor, currency), "purpose": "a show"},
        principal=Principal(id=proposer),
        at=at,
        **more,
    )


@pytest.fixture
def with_limits(catalog):
    """The catalog with other limits."""

    def build(**limits):
        changed = tuple(
            limit.model_copy(update={"value": limits[limit.name]}) if limit.name in limits else limit
            for limit in catalog.limits
        )
        return replace(catalog, limits=changed)

    return build


@pytest.fixture
def granted(shop):
    """A shop whose budget `ads` was granted 1,000.00."""
    assert shop.app.ledger.grant("ads", "GBP", 100000, "g1", "fay", "the season") == []
    return shop


def held(shop, budget="ads"):
    """What the books say is held, what the open holds add up to, and what the day took."""
    books = shop.one(
        "SELECT pending_debit_minor FROM balance JOIN account USING (account_id) WHERE code = %s",
        [f"equity:appropriated:{budget}"],
    )
    holds = shop.one(
        "SELECT coalesce(sum(l.amount_minor), 0) FROM hold_open JOIN hold_leg l USING (hold_no) "
        "JOIN account USING (account_id) WHERE code = %s",
        [f"equity:appropriated:{budget}"],
    )
    return int(books), int(holds)
