"""What is said about people never reaches the log, and can be forgotten without touching it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from steward.contracts.payloads import VERSIONS
from steward.events import Decoder, EventLog
from steward.events.core.merkle import verify_inclusion
from steward.infra.clock import FrozenClock
from steward.infra.db import Database
from steward.ingest import Ingestor, People
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db

AT = datetime(2026, 1, 1, tzinfo=UTC)
SECRETS = ["Ada Nightingale", "ada@example.org", "+44 20 7946 0018", "12 Analytical Row", "LONDON-SW1"]
ADA = {
    "name": SECRETS[0],
    "email": SECRETS[1],
    "phone": SECRETS[2],
    "address": {"line1": SECRETS[3], "postcode": SECRETS[4]},
}


class Shop:
    """A log, its people and the door for events from outside, over one database."""

    def __init__(self, database, owner, home, specs):
        self.database, self.owner = database, owner
        self.log = EventLog(database, FrozenClock(AT), home / "checkpoints.jsonl")
        self.people = People(database, FrozenClock(AT), specs, home / "keys" / "people")
        self.ingestor = Ingestor(self.log, Decoder(VERSIONS), self.people)

    def take(self, *documents, atomic=False):
        body = json.dumps(documents).encode()
        return self.ingestor.submit(self.ingestor.decode_batch(body), atomic=atomic).settle()

    def rows(self, query, parameters=None):
        with psycopg.connect(self.owner, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def data(self, position=None):
        events = self.log.read(as_stored=True, limit=1000)
        return [event.envelope.data for event in events if position in (None, event.position)]


@pytest.fixture
def shop(fresh, tmp_path, catalog):
    made = Shop(fresh.app, fresh.owner, tmp_path, catalog.events)
    yield made
    made.ingestor.close()


def order(name, customer=ADA, customer_id="c-1", source="shop", **more):
    data = {"order_id": name, "currency": "GBP", "total_minor": 100, "channel": "web", **more}
    data |= ({} if customer is None else {"customer": customer}) | (
        {} if customer_id is None else {"customer_id": customer_id}
    )
    return {
        "id": f"order:{name}",
        "source": source,
        "type": "OrderPlaced",
        "schemaversion": 2,
        "subject": f"order/{name}",
        "time": "2026-01-01T00:00:00Z",
        "data": data,
    }


def ticket(name, customer=ADA, customer_id="c-1"):
    data = {"ticket_id": name, "messages": [{"author": "customer", "text": "where is it?"}], "customer": customer}
    return {**order(name), "id": f"ticket:{name}", "type": "TicketOpened", "data": {**data, "customer_id": customer_id}}


def everything(shop, *, but=()):
    """Every row of every table as text."""
    names = shop.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {}
    for (table,) in names:
        if table not in but:
            found[table] = "\n".join(text for (text,) in shop.rows(f"SELECT to_jsonb(t)::text FROM {table} t"))
    return found


def assert_nothing_personal(shop, *, but=(), secrets=SECRETS):
    tables = everything(shop, but=but)
    assert {"event", "event_key", "event_conflict", "event_outbox", "log_node"} <= set(tables)
    for table, text in tables.items():
        for secret in secrets:
            assert secret not in text, f"{secret} in {table}"
            assert secret.encode().hex() not in text, f"{secret} in {table}"


def test_the_log_holds_an_id_and_a_digest_and_nothing_personal(shop):
    taken = shop.take(order("1"), ticket("2"), order("3", customer=None))
    assert (taken.accepted, taken.rejected) == (3, [])
    first, second, third = shop.data()
    for data in (first, second):
        assert "customer" not in data
        assert data["person_id"].startswith("psn_")
        assert len(data["person_digest"]) == 64
    assert first["person_id"] == second["person_id"]
    assert first["customer_id"] == "c-1"
    assert "person_id" not in third
    changed = order("1", customer={**ADA, "name": "Ada Nightingale-Smith"})
    assert [each.code for each in shop.take(changed).rejected] == ["conflict"]
    assert len(shop.log.conflicts()) == 1
    assert_nothing_personal(shop, but={"person_field"})
    assert shop.people.show(first["person_id"])["events"][0]["fields"].keys() == {"customer"}
    assert shop.log.verify().is_intact


def test_one_person_is_known_by_the_shops_id_and_by_the_address(shop):
    shop.take(
        order("1", customer={"email": " ADA@example.org "}, customer_id="c-1"),
        order("2", customer={"name": "A."}, customer_id="c-1"),
        order("3", customer={"email": "ada@example.org"}, customer_id=None),
        order("4", customer={"email": "bob@example.org"}, customer_id="c-2"),
        order("5", customer={"name": "A."}, customer_id="c-1", source="another shop"),
        order("6", customer={"name": "nobody in particular"}, customer_id=None),
        order("7", customer={"name": "nobody in particular"}, customer_id=None),
    )
    ids = [data["person_id"] for data in shop.data()]
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids)) == 5
    assert shop.people.find(customer="c-1", source="shop") == ids[0]
    assert shop.people.find(email="Ada@Example.org") == ids[0]
    assert shop.people.find(customer="c-1", source="another shop") == ids[4]
    assert shop.people.find(email="carol@example.org") is None
    with pytest.raises(BadInput):
        shop.people.show("psn_nobody")


def test_details_that_are_empty_make_nobody(shop):
    shop.take(order("1", customer={}), {**order("2"), "data": {**order("2")["data"], "customer": None}})
    for data in shop.data():
        assert not {"customer", "person_id", "person_digest"} & set(data)
    assert shop.rows("SELECT count(*) FROM person") == [(0,)]


def test_a_redelivery_is_a_duplicate_and_another_detail_a_conflict(shop):
    assert shop.take(order("1")).accepted == 1
    assert shop.take(order("1")).duplicates == 1
    assert shop.take(order("1"), order("1")).duplicates == 2
    taken = shop.take(order("1", customer={**ADA, "phone": "0"}))
    assert [(each.code, each.path) for each in taken.rejected] == [("conflict", "$.id")]
    assert shop.rows("SELECT count(*) FROM person_field") == [(1,)]


def test_equal_details_of_two_people_have_different_digests(shop):
    same = {"name": "A. Smith"}
    shop.take(order("1", customer=same, customer_id="c-1"), order("2", customer=same, customer_id="c-2"))
    first, second = shop.data()
    assert first["person_digest"] != second["person_digest"]


def test_names_are_not_stored_in_the_clear(shop):
    shop.take(order("1", customer_id="a-very-own-id"))
    aliases = "\n".join(text for (text,) in shop.rows("SELECT to_jsonb(a)::text FROM person_alias a"))
    assert aliases.count("\n") == 1
    assert "a-very-own-id" not in aliases
    assert "ada@" not in aliases, "three letters alone may stand in a digest by chance"
    key = shop.people._key_file
    assert len(key.read_bytes()) == 32
    assert key.stat().st_mode & 0o777 == 0o600


def test_what_was_refused_leaves_no_details_behind(shop):
    bad = order("1", total_minor="much")
    assert [each.code for each in shop.take(bad).rejected] == ["invalid_data"]
    assert shop.take(order("2"), bad, atomic=True).accepted == 0
    assert_nothing_personal(shop)


# Erasure


def test_erasing_forgets_a_person_and_leaves_the_log_as_it_is(shop):
    shop.take(order("1"), ticket("2"), order("3", customer={"email": "bob@example.org"}, customer_id="c-2"))
    ada = shop.people.find(customer="c-1", source="shop")
    before = shop.log.head()
    stored = shop.rows("SELECT position, data, leaf_hash FROM event ORDER BY position")
    proofs = [shop.log.inclusion(position) for position in (1, 2, 3)]
    keys = [key for (key,) in shop.rows("SELECT event_key FROM person_field WHERE person_id = %s", (ada,))]
    delivery = (
        "INSERT INTO delivery (provider, delivery_key, origin, headers, body, body_sha256, received_at, state, event_keys) "
        "VALUES ('shopify', %s, 'webhook', %s, %s, %s, now(), 'done', %s)"
    )
    raw = json.dumps(ADA).encode()
    with psycopg.connect(shop.owner, autocommit=True) as connection:
        for name, body, of in (("d1", raw, keys[:1]), ("d2", raw, keys), ("d3", b"another's", [])):
            connection.execute(delivery, (name, json.dumps({"x-mail": SECRETS[1]} if of else {}), body, bytes(32), of))

    assert shop.people.erase(ada) == {"people": 1, "events": 2, "names": 2, "deliveries": 2}

    assert_nothing_personal(shop)
    shown = shop.people.show(ada)
    assert shown["erased"]
    assert [event["fields"] for event in shown["events"]] == [None, None]
    assert shop.people.find(customer="c-1", source="shop") is None
    assert shop.people.find(email=SECRETS[1]) is None
    assert shop.rows("SELECT salt FROM person WHERE person_id = %s", (ada,)) == [(None,)]
    assert shop.rows("SELECT delivery_key, state, body FROM delivery ORDER BY delivery_key") == [
        ("d1", "erased", None),
        ("d2", "erased", None),
        ("d3", "done", b"another's"),
    ]

    assert shop.log.head() == before
    assert shop.rows("SELECT position, data, leaf_hash FROM event ORDER BY position") == stored
    assert shop.log.verify().is_intact
    root = bytes.fromhex(before["root"])
    for (position, _, leaf), proof in zip(stored, proofs, strict=True):
        path = [bytes.fromhex(part) for part in proof]
        assert verify_inclusion(bytes(leaf), position - 1, 3, path, root)
        assert shop.log.inclusion(position) == proof

    bob = shop.people.find(customer="c-2", source="shop")
    assert shop.people.show(bob)["events"][0]["fields"] == {"customer": {"email": "bob@example.org"}}


def test_erasing_twice_and_erasing_nobody(shop):
    shop.take(order("1"))
    ada = shop.people.find(email=SECRETS[1])
    assert shop.people.erase(ada)["people"] == 1
    erased_at = shop.rows("SELECT erased_at FROM person")
    assert shop.people.erase(ada) == {"people": 0, "events": 0, "names": 0, "deliveries": 0}
    assert shop.rows("SELECT erased_at FROM person") == erased_at
    with pytest.raises(BadInput, match="psn_nobody"):
        shop.people.erase("psn_nobody")


def test_a_redelivery_after_erasure_is_a_duplicate_and_brings_nothing_back(shop):
    shop.take(order("1"), ticket("2"))
    shop.people.erase(shop.people.find(email=SECRETS[1]))
    taken = shop.take(order("1"), ticket("2"))
    assert (taken.accepted, taken.duplicates, taken.rejected) == (0, 2, [])
    assert shop.people.find(email=SECRETS[1]) is None
    assert_nothing_personal(shop)
    assert shop.log.verify().is_intact


def test_a_new_order_of_an_erased_customer_is_somebody_new(shop):
    shop.take(order("1"))
    old = shop.people.find(email=SECRETS[1])
    shop.people.erase(old)
    assert shop.take(order("2")).accepted == 1
    new = shop.people.find(email=SECRETS[1])
    assert new not in {None, old}
    assert [data["person_id"] for data in shop.data()] == [old, new]
    assert shop.people.show(old)["events"] == [
        {"event_key": shop.people.show(old)["events"][0]["event_key"], "fields": None}
    ]
    assert shop.take(order("1"), order("2")).duplicates == 2
    assert shop.log.verify().is_intact


# Several at once


def test_concurrent_first_sightings_make_one_person(shop, fresh, cluster, tmp_path, catalog):
    """Two processes in all but name, each with a pool and a writer of its own, over the same key."""
    other = Database(psycopg.conninfo.make_conninfo(cluster.app, dbname=fresh.name), cluster.role)
    there = Shop(other, fresh.owner, tmp_path, catalog.events)
    shop.take(order("0", customer={"email": "bob@example.org"}, customer_id="c-0"))  # the key is made
    together = threading.Barrier(6)

    def work(n):
        together.wait(30)
        return (shop, there)[n % 2].take(*(order(f"{n}-{i}") for i in range(5))).accepted

    try:
        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(work, range(6))) == 30
    finally:
        there.ingestor.close()
        other.close()
    assert {data["person_id"] for data in shop.data()[1:]} == {shop.people.find(email=SECRETS[1])}
    assert shop.rows("SELECT count(*) FROM person") == [(2,)]
    assert shop.rows("SELECT count(*) FROM person_field") == [(31,)]


def test_the_same_delivery_from_two_sides_at_once_is_one_event(shop):
    together = threading.Barrier(6)

    def work(_n):
        together.wait(30)
        return shop.take(order("1"))

    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(work, range(6)))
    assert sum(each.accepted for each in taken) == 1
    assert sum(each.duplicates for each in taken) == 5
    assert shop.rows("SELECT count(*) FROM person") == [(1,)]
