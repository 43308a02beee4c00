"""`steward keys` and `steward people`."""

from __future__ import annotations

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.infra.scopes import SCOPES
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput


@click.group()
def keys() -> None:
    """API keys: create, list, revoke.

    Example: steward keys create --name shop --scope events:write
    """


@keys.command()
@click.option("--name", required=True, help="Whose key it is.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(sorted(SCOPES)), help="Repeatable.")
@json_option
@report_errors
def create(name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key. It is shown once; only its digest is stored.

    Example: steward keys create --name shop --scope events:write --scope events:read
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        key = app.access.create(name, scopes)
    emit({"key": key, "name": name, "scopes": sorted(set(scopes))}, as_json, key)


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
        }
        for row in rows
    ]
    lines = [
        f"{r['key_id']}  {'revoked' if r['revoked_at'] else 'live':<8} {r['name']:<20} {' '.join(r['scopes'])}"
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
