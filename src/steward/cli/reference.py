"""The event catalog as documents: an AsyncAPI 3.0 description for machines and a page of tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from steward.catalog import Catalog
from steward.contracts.event import Envelope, EventSpec
from steward.contracts.payloads import AREAS, PAYLOADS, VERSIONS, Payload
from steward.kernel.canonical import JsonObject

_REF = "#/components/schemas/{model}"
_TITLES = {
    "commerce": "Commerce",
    "live": "Live shows",
    "creators": "Creators",
    "business": "Business operations",
    "finance": "Finance",
    "marketing": "Marketing",
    "operations": "The system's own",
}
_INTRO = """# Events

Generated from the catalog and the payload contracts by `make schemas`; edit those, not this page.

Every event comes in a CloudEvents 1.0 envelope (`schemas/Envelope.json`). A stored event never changes; an older
version is read as the current one. Money is whole minor units. In a payload, bold fields are required. *Personal*
fields are taken out before an event is stored; `person_id` and `person_digest` are what stays. *Identity* is the field
that names the person by the shop's own id. Fields that a payload from outside has beyond these are kept; the system's
own have no others.
"""


def _component(model: Payload, schemas: JsonObject) -> JsonObject:
    """The model's schema, with the models it uses moved to the components."""
    schema = model.model_json_schema(ref_template=_REF)
    schemas.update(schema.pop("$defs", {}))
    return schema


def _attributes() -> JsonObject:
    """The envelope without its data, as message headers."""
    schema = TypeAdapter(Envelope).json_schema(ref_template=_REF)
    properties = {name: form for name, form in schema["properties"].items() if name != "data"}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 attributes with our extensions.",
        "properties": {"specversion": {"const": "1.0"}, **properties},
        "required": ["specversion", *(name for name in schema["required"] if name != "data")],
    }


def _message(name: str, version: int, spec: EventSpec) -> JsonObject:
    return {
        "name": name,
        "title": f"{name}, version {version}",
        "summary": spec.meaning,
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": _REF.format(model="CloudEventAttributes")},
                {
                    "type": "object",
                    "properties": {"type": {"const": name}, "schemaversion": {"const": version}},
                },
            ]
        },
        "payload": {"$ref": _REF.format(model=f"{name}.v{version}")},
        "x-owner": spec.owner,
        "x-retention": spec.retention,
        "x-personal": list(spec.personal),
        "x-current": version == spec.version,
    }


def asyncapi(catalog: Catalog) -> JsonObject:
    """One channel an area. `receive`: facts of the outside world, in every version; `send`: the system's own."""
    specs = {spec.type: spec for spec in catalog.events}
    schemas: JsonObject = {"CloudEventAttributes": _attributes()}
    messages: JsonObject = {}
    channels: JsonObject = {}
    operations: JsonObject = {}
    for area, models in AREAS.items():
        names = [(name, n) for name, n in VERSIONS if PAYLOADS[name] in models]
        for name, n in names:
            schemas[f"{name}.v{n}"] = _component(VERSIONS[name, n], schemas)
            messages[f"{name}.v{n}"] = _message(name, n, specs[name])
        channels[area] = {
            "address": None,
            "title": _TITLES[area],
            "description": "Events of this area in the log. The stream an event belongs to is its subject.",
            "messages": {f"{name}.v{n}": {"$ref": f"#/components/messages/{name}.v{n}"} for name, n in names},
        }
        for action, origin in (("receive", "outside"), ("send", "own")):
            refs: list[JsonObject] = [
                {"$ref": f"#/channels/{area}/messages/{name}.v{n}"} for name, n in names if specs[name].origin == origin
            ]
            if refs:
                operations[f"{action}_{area}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{area}"},
                    "messages": refs,
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Steward events",
            "version": "1",
            "description": "What a live-shopping business tells the system, and what the system tells of itself.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def events_page(catalog: Catalog) -> str:
    """A section an area: what the types mean, then what they hold."""
    specs = {spec.type: spec for spec in catalog.events}
    ruled = {rule.event: rule.kind for rule in catalog.postings}
    parts = [_INTRO]
    for area, models in AREAS.items():
        parts.append(f"\n## {_TITLES[area]}\n\n" + "\n".join(_area(models, specs, ruled)) + "\n")
    earlier = [(name, n) for name, n in VERSIONS if VERSIONS[name, n] is not PAYLOADS[name]]
    rows = [f"| {name} | {n} | {_fields(VERSIONS[name, n])} |" for name, n in earlier]
    head = "\n## Earlier versions\n\n| type | version | payload |\n|---|---|---|\n"
    return "".join([*parts, head, "\n".join(rows), "\n"])


def _area(models: tuple[Payload, ...], specs: dict[str, EventSpec], ruled: dict[str, str]) -> Iterator[str]:
    yield "| type | version | meaning | owner | origin | personal | identity | kept | posts | payload |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for model in models:
        spec = specs[model.__name__]
        cells: list[Any] = [
            f"`{spec.type}`",
            spec.version,
            spec.meaning,
            spec.owner,
            spec.origin,
            ", ".join(spec.personal),
            spec.identity or "",
            spec.retention,
            ruled.get(spec.type, ""),
            _fields(model),
        ]
        yield "| " + " | ".join(str(cell) for cell in cells) + " |"


def _fields(model: Payload) -> str:
    required = [f"**{name}**" for name, field in model.model_fields.items() if field.is_required()]
    optional = [name for name, field in model.model_fields.items() if not field.is_required()]
    return ", ".join([*required, *optional])
