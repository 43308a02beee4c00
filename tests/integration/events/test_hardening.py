"""What once went wrong below the interface."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest

from steward.infra.clock import FrozenClock

pytestmark = pytest.mark.db
AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_make_room_makes_room(fresh):
    with fresh.app.transaction() as c:
        (row,) = c.execute("SELECT log_make_room(10000001) AS room").fetchall()
    assert row == {"room": 20_000_000}


def test_the_application_does_not_become_the_owner(fresh):
    with psycopg.connect(fresh.owner, autocommit=True) as o:
        o.execute("CREATE TABLE proof (who text)")
    with fresh.app.transaction() as c:
        c.execute("CREATE TEMP TABLE log_head (LIKE public.log_head)")
        c.execute("INSERT INTO log_head SELECT * FROM public.log_head")
        c.execute(
            "CREATE FUNCTION pg_temp.evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.proof VALUES (current_user); RETURN NEW; END $$"
        )
        c.execute("GRANT ALL ON log_head TO PUBLIC")
        c.execute("CREATE TRIGGER evil BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION pg_temp.evil()")
        c.execute("SELECT log_make_room(1)")
    with psycopg.connect(fresh.owner, autocommit=True) as o:
        assert o.execute("SELECT who FROM proof").fetchall() == []


def test_nobody_is_left_with_fields_after_erasure(fresh, tmp_path):
    """Erasing while a delivery of the same person is being taken in."""
    import json

    from steward.catalog import load_catalog
    from steward.contracts.payloads import VERSIONS
    from steward.events import Decoder
    from steward.ingest import People

    people = People(fresh.app, FrozenClock(AT), load_catalog().events, tmp_path / "keys" / "people")

    def ev(n):
        d = {
            "id": f"o{n}",
            "source": "shop",
            "type": "OrderPlaced",
            "schemaversion": 2,
            "subject": f"order/{n}",
            "time": "2026-01-01T00:00:00Z",
            "data": {
                "order_id": str(n),
                "currency": "GBP",
                "total_minor": 1,
                "channel": "web",
                "customer_id": "c1",
                "customer": {"email": "ann@example.com"},
            },
        }
        (found,) = Decoder(VERSIONS).single(json.dumps(d).encode()).events
        return found[1]

    def take(e):
        return people.take_out([e], [0]) if people.take_out.__code__.co_argcount == 3 else people.take_out([e])

    take(ev(1))
    person = people.find(customer="c1", source="shop")
    with fresh.app.transaction():
        take(ev(2))
        t = threading.Thread(target=people.erase, args=(person,))
        t.start()
        t.join(3)
    t.join(30)
    shown = people.show(person)
    assert shown["erased"]
    assert [e["fields"] for e in shown["events"]] == [None, None]


def test_two_shops_are_two_shops(fresh, tmp_path):
    from steward.ingest.core.personal import names_of

    assert names_of("shop:1", {"customer_id": "2"}, {}, "customer_id") != names_of(
        "shop", {"customer_id": "1:2"}, {}, "customer_id"
    )
