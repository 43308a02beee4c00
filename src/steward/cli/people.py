"""`steward keys` and `steward people`."""

from __future__ import annotations

import os
from datetime import timedelta

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.infra.scopes import ROLES, SCOPES, Role
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput


@click.group()
def keys() -> None:
    """API keys with roles: create, rotate, list, revoke, and what was done with them.

    Example: steward keys create --name ana --role founder
    """


@keys.command()
@click.option("--name", required=True, help="Whose key it is.")
@click.option("--role", type=click.Choice(list(ROLES)), default="service", show_default=True, help="What they are.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(sorted(SCOPES)), help="Repeatable; else the role's."
)
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lives; else until it is revoked.")
@json_option
@report_errors
def create(name: str, role: Role, scopes: tuple[str, ...], days: int | None, *, as_json: bool) -> None:
    """Make a key. It is shown once; only its digest is stored. A key that may approve is made by a founder, whose own
    stands in STEWARD_API_KEY; the first founder's needs none.

    Example: steward keys create --name shop --scope events:write --scope events:read
    """
    from steward.bootstrap import open_app

    if role == "service" and not scopes:
        raise BadInput("no scope", fix="name at least one --scope, or a --role")
    lifetime = None if days is None else timedelta(days=days)
    with open_app() as app:
        key = app.access.create(name, scopes, role, lifetime, os.environ.get("STEWARD_API_KEY", "").strip())
    document = {"key": key, "name": name, "role": role, "scopes": sorted(set(scopes) or set(ROLES[role]))}
    emit(document, as_json, key)


@keys.command()
@click.option(
    "--grace-hours", default=24, show_default=True, type=click.IntRange(0, 720), help="How long the old lives."
)
@json_option
@report_errors
def rotate(grace_hours: int, as_json: bool) -> None:
    """A new key for the holder of the one in STEWARD_API_KEY, with the same name, role and scopes.

    Example: steward keys rotate --grace-hours 1
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        key = app.access.rotate(os.environ.get("STEWARD_API_KEY", "").strip(), timedelta(hours=grace_hours))
    emit({"key": key, "grace_hours": grace_hours}, as_json, key)


@keys.command()
@click.argument("key_id", required=False)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10000))
@json_option
@report_errors
def uses(key_id: str | None, limit: int, as_json: bool) -> None:
    """What was decided or changed under keys, newest first.

    Example: steward keys uses 0123456789abcdef
    """
    from steward.bootstrap import open_app
    from steward.kernel.instants import format_instant

    with open_app() as app:
        rows = app.access.uses(key_id, limit)
    items = [{**row, "at": format_instant(row["at"])} for row in rows]
    lines = [f"{r['at'][:19]}  {r['name']:<20} {r['role']:<9} {r['channel']:<5} {r['what']}" for r in items]
    emit({"items": items}, as_json, "\n".join(lines) or "nothing")


@keys.command(name="list")
@json_option
@report_errors
def list_keys(as_json: bool) -> None:
    """Every key ever made, without its secret.

    Example: steward keys list
    """
    from steward.bootstrap import open_app
    from steward.kernel.instants import format_instant

    with open_app() as app:
        rows = app.access.keys()
    found: list[JsonObject] = [
        {
            **row,
            "created_at": format_instant(row["created_at"]),
            "revoked_at": format_instant(row["revoked_at"]) if row["revoked_at"] else None,
            "expires_at": format_instant(row["expires_at"]) if row["expires_at"] else None,
        }
        for row in rows
    ]
    lines = [
        f"{r['key_id']}  {'revoked' if r['revoked_at'] else 'live':<8} {r['role']:<9} {r['name']:<20} "
        + " ".join(r["scopes"])
        for r in found
    ]
    emit({"items": found}, as_json, "\n".join(lines) or "no keys")


@keys.command()
@click.argument("key_id")
@json_option
@report_errors
def revoke(key_id: str, as_json: bool) -> None:
    """End a key, by its id from `keys list`. It opens nothing from two seconds later on.

    Example: steward keys revoke 0123456789abcdef
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        revoked = app.access.revoke(key_id)
    emit({"revoked": revoked}, as_json, "revoked" if revoked else "there is no live key of this id")
    answer(revoked)


@click.group()
def people() -> None:
    """People and what is kept about them, apart from the log: find, show, erase.

    Example: steward people find --email ann@example.org
    """


@people.command()
@click.option("--customer", help="The shop's customer id; with --source.")
@click.option("--source", default="", help="The source the id belongs to, such as shopify/example.myshopify.com.")
@click.option("--email", help="An address, in any case.")
@json_option
@report_errors
def find(customer: str | None, source: str, email: str | None, as_json: bool) -> None:
    """The id of a person by customer id or address.

    Example: steward people find --customer 17850 --source shop/main
    """
    from steward.bootstrap import open_app

    if (customer is None) == (email is None):
        raise BadInput("give either --customer with --source, or --email")
    with open_app() as app:
        person = app.people.find(customer=customer, source=source, email=email)
    emit({"person_id": person}, as_json, person or "nobody is known by this")
    answer(person is not None)


@people.command()
@click.argument("person_id")
@json_option
@report_errors
def show(person_id: str, as_json: bool) -> None:
    """Everything kept about a person.

    Example: steward people show psn_0123456789abcdef0123456789abcdef
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        document = app.people.show(person_id)
    lines = [f"{entry['event_key']}: {entry['fields']}" for entry in document["events"]]
    emit(document, as_json, "\n".join([f"{person_id}{' (erased)' if document['erased'] else ''}", *lines]))


@people.command()
@click.argument("person_id")
@json_option
@report_errors
def erase(person_id: str, as_json: bool) -> None:
    """Forget a person: fields, names, salt and raw deliveries. The log stays as it is, and provable.

    Example: steward people erase psn_0123456789abcdef0123456789abcdef
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        erased = app.people.erase(person_id)
    text = f"erased: {erased['events']} events' fields, {erased['names']} names, {erased['deliveries']} raw deliveries"
    emit({"person_id": person_id, **erased}, as_json, text)
