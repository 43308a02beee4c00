"""A small shop in a database of a test's own, wired as bootstrap wires it, and the events it is made of."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

T0 = datetime(2011, 5, 2, 9, 0, tzinfo=UTC)  # a Monday
SOURCE = "shop/test"
COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


class Make:
    """Envelopes and lines of history, with every field that a test does not care about filled in."""

    start = T0
    source = SOURCE

    def line(self, sku="MUG", quantity=1, total_minor=1000):
        return {"sku": sku, "quantity": quantity, "total_minor": total_minor}

    def _envelope(self, event_type, key, subject, at, data):
        from steward.contracts.event import Envelope

        return Envelope(id=key, source=SOURCE, type=event_type, subject=subject, time=at, data=data)

    def order(self, order_id, customer="17850", lines=None, at=T0, **more):
        lines = lines or [self.line()]
        total = sum(line["total_minor"] for line in lines)
        data = {"order_id": order_id, "currency": "GBP", "total_minor": total, "lines": lines, **more}
        if customer:
            data["customer_id"] = customer
        return self._envelope("OrderPlaced", f"order:{order_id}", f"order/{order_id}", at, data)

    def payment(self, order_id, amount_minor=1000, at=T0, **more):
        data = {
            "payment_id": f"pay-{order_id}",
            "order_id": order_id,
            "currency": "GBP",
            "amount_minor": amount_minor,
            "processor": "online_retail",
            **more,
        }
        return self._envelope("PaymentCaptured", f"payment:{order_id}", f"order/{order_id}", at, data)

    def refund(self, refund_id, customer="17850", lines=None, at=T0 + timedelta(days=1), **more):
        lines = lines or [self.line()]
        amount = sum(line["total_minor"] for line in lines)
        data = {
            "refund_id": refund_id,
            "currency": "GBP",
            "amount_minor": amount,
            "processor": "online_retail",
            "lines": lines,
            **more,
        }
        if customer:
            data["customer_id"] = customer
        return self._envelope("RefundProcessed", f"refund:{refund_id}", f"refund/{refund_id}", at, data)

    def row(self, invoice, sku="85123A", quantity=1, at="2011-05-02 09:00:00", price="2.55", customer="17850"):
        return f"{invoice},{sku},A THING,{quantity},{at},{price},{customer},United Kingdom"

    def file(self, path, *rows):
        path.write_text("\n".join([COLUMNS, *rows, ""]), encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def make():
    return Make()


@pytest.fixture(scope="session")
def catalog():
    from steward.catalog import load_catalog

    return load_catalog()


@pytest.fixture(scope="session")
def verifier(catalog):
    """One prover process for the run: starting one takes most of a second."""
    from steward.checking import build_verifier

    with build_verifier(catalog) as verifier:
        yield verifier


@dataclass
class Shop:
    """An application over a database of its own, its clock, and plain SQL beside it."""

    app: object
    clock: object
    owner: str
    closing: list = field(default_factory=list)

    def take_in(self, *envelopes):
        """Append, and bring books and read models up to date."""
        appended = self.app.events.append(envelopes)
        self.app.money_events.post_pending()
        self.app.state.catch_up()
        self.app.events.sequence()
        return appended

    def rows(self, query, parameters=None):
        """What the database really holds, read by its owner."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def one(self, query, parameters=None):
        return self.rows(query, parameters)[0][0]


@pytest.fixture
def make_shop(fresh, tmp_path, catalog, verifier):
    """Make a shop over the test's database; another catalog gets a verifier of its own."""
    from steward.bootstrap import App, build_verifier
    from steward.infra.clock import FrozenClock
    from steward.infra.settings import Settings

    opened = []

    def build(own_catalog=None):
        clock = FrozenClock(T0)
        settings = Settings(home=tmp_path / "home", database_url=None, host="127.0.0.1", port=0)
        app = App(settings, fresh.app, own_catalog or catalog, clock)
        app.verifier = verifier
        if own_catalog:
            app.verifier = build_verifier(own_catalog)
            opened.append(app.verifier)
        return Shop(app, clock, fresh.owner)

    yield build
    for one in opened:
        one.close()


@pytest.fixture
def shop(make_shop):
    return make_shop()


@pytest.fixture
def superuser(fresh):
    """A connection on which triggers do not fire: what an attacker with the database's own account has."""
    with psycopg.connect(fresh.owner, autocommit=True) as connection:
        try:
            connection.execute("SET session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("the server's user is no superuser and cannot switch triggers off")
        yield connection
