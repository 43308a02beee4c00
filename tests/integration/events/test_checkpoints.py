"""Checkpoints outside the database notice a rewritten log; a torn line is told, not raised."""

import psycopg
import pytest

from steward.kernel.errors import BadInput, Conflict, Tampered

pytestmark = pytest.mark.db


@pytest.fixture
def shop(make_shop):
    return make_shop()


def checkpoint_file(shop):
    return shop.app.settings.home / "checkpoints.jsonl"


def rewind(shop, size):
    """What somebody who controls the database can do: remove the last rows and set the head to match."""
    from steward.events.core.merkle import extend, root_of_frontier

    with psycopg.connect(shop.owner, autocommit=True) as connection:
        try:
            connection.execute("SET session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("the server's user is no superuser and cannot rewrite the log")
        connection.execute("DELETE FROM event WHERE position > %s", (size,))
        leaves = [bytes(row[0]) for row in connection.execute("SELECT leaf_hash FROM event ORDER BY position")]
        frontier = extend(0, [], leaves)[1]
        connection.execute(
            "UPDATE log_head SET size = %s, frontier = %s, root = %s", (size, frontier, root_of_frontier(frontier))
        )


def test_a_log_rewritten_after_a_checkpoint_is_seen_and_not_published(shop, make):
    shop.take_in(*(make.order(str(i)) for i in range(5)))
    shop.app.events.publish_checkpoint()
    rewind(shop, 3)
    shop.app.events.append([make.order("other"), make.order("another")])
    assert not shop.app.events.verify().is_intact
    with pytest.raises(Tampered):
        shop.app.events.publish_checkpoint()


def test_a_shorter_log_is_not_published(shop, make):
    shop.take_in(*(make.order(str(i)) for i in range(5)))
    shop.app.events.publish_checkpoint()
    rewind(shop, 3)
    with pytest.raises(Tampered, match="5"):
        shop.app.events.publish_checkpoint()


def test_a_checkpoint_of_the_empty_log_is_no_alarm(shop, make):
    shop.app.events.publish_checkpoint()
    shop.take_in(make.order("1"))
    assert shop.app.events.verify().is_intact


def test_a_torn_line_is_named_and_the_next_checkpoint_starts_a_line(shop, make):
    shop.take_in(make.order("1"))
    shop.app.events.publish_checkpoint()
    path = checkpoint_file(shop)
    path.write_text(path.read_text(encoding="utf-8") + '{"size": 1, "ro', encoding="utf-8")
    assert [(v["where"], v["row"]) for v in shop.app.events.verify().violations] == [("checkpoint", "line 2")]
    shop.take_in(make.order("2"))
    shop.app.events.publish_checkpoint()
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_a_nul_character_is_refused_before_it_reaches_the_database(shop, make):
    order = make.order("1")
    odd = order.model_copy(update={"data": {**order.data, "note": "a\x00b"}})
    with pytest.raises(BadInput, match="NUL"):
        shop.app.events.append([odd])
    plain = order.model_copy(update={"data": {**order.data, "note": "a\\u0000b"}})
    assert shop.app.events.append([plain]).accepted == 1


def test_an_amount_beyond_any_shop_is_refused(shop, make):
    with pytest.raises(BadInput):
        shop.app.events.append([make.payment("1", amount_minor=10**16)])


def test_a_line_beyond_any_sale_names_itself(shop, make, tmp_path):
    path = make.file(tmp_path / "x.csv", make.row("1"), make.row("2", quantity=999999999, price="999999999"))
    with pytest.raises(BadInput, match="line 3"):
        shop.app.history.read(path)


def test_two_facts_cannot_wait_under_one_name(shop, make):
    shop.app.events.put([make.order("1")])
    shop.app.events.put([make.order("1")])
    with pytest.raises(Conflict, match="order:1"):
        shop.app.events.put([make.order("1", lines=[make.line(quantity=2)])])
    assert shop.app.events.sequence() == 1
