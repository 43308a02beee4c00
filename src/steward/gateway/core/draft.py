"""A first draft of a tool's file from an OpenAPI 3 or Swagger 2 document. What a person must decide says DECIDE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

_FEW = 20
_DEEP = 8
_METHODS = ("get", "post", "put", "patch", "delete")
_NUMBERS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_PLAIN = ("type", "enum", "const", "uniqueItems", "required")
_FORMS = {"application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart", "text/plain": "text"}


def draft(document: JsonObject, tool: str, wanted: tuple[str, ...], description: str) -> JsonObject:
    """The file's content. `wanted` are operation ids, all where none is named and there are few; `description` is the
    name of the document's file. `BadInput` where an operation is not in it, or too many would be drafted.
    """
    if not isinstance(document.get("paths"), dict):
        raise BadInput("is no OpenAPI or Swagger document: it has no paths")
    found = {str(one[2].get("operationId") or f"{one[1]} {one[0]}"): one for one in _operations(document)}
    missing = [name for name in wanted if name not in found]
    if missing:
        raise BadInput(f"it has no operation {missing[0]!r}", fix=f"it has {', '.join(sorted(found)[:12])}, ...")
    if not wanted and len(found) > _FEW:
        raise BadInput(f"it has {len(found)} operations", fix="name those you need: --operation, again for each")
    info = cast("JsonObject", document.get("info", {}))
    verbs = [_verb(document, name, *found[name], description) for name in wanted or found]
    reading = next((verb["verb"] for verb in verbs if not verb["effect"]), "DECIDE_name_a_reading_verb")
    return {
        "tool": tool,
        "name": str(info.get("title", tool))[:80],
        "meaning": "DECIDE: what we use it for",
        "category": "commerce",
        "base": _base(document),
        "version": str(info.get("version", "")),
        "docs": str(cast("JsonObject", document.get("externalDocs", {})).get("url", "DECIDE: its documentation")),
        "descriptions": {description: f"{info.get('version', '')}, DECIDE: where it is published"},
        "auth": _auth(document),
        "rate": {"burst": 1, "per_second": "1", "source": "DECIDE: what the provider says of limits"},
        "redact": ["DECIDE: fields of its answers that are never written down"],
        "check": {"verb": _snake(reading)},
        "verbs": verbs,
    }


def _operations(document: JsonObject) -> Iterator[tuple[str, str, JsonObject, list[Any]]]:
    for path, item in cast("dict[str, JsonObject]", document["paths"]).items():
        for method in _METHODS:
            if isinstance(item.get(method), dict):
                yield path, method.upper(), item[method], item.get("parameters", [])


def _verb(
    document: JsonObject, name: str, path: str, method: str, operation: JsonObject, shared: list[Any], source: str
) -> JsonObject:
    properties: JsonObject = {}
    required: list[str] = []
    query: JsonObject = {}
    body: JsonObject = {}
    encoding = ""
    for given in [*shared, *operation.get("parameters", [])]:
        one = _resolved(document, given)
        place, own = str(one.get("in")), str(one.get("name"))
        if place == "body":
            _body(document, one.get("schema", {}), properties, required, body)
            continue
        if place not in ("path", "query", "formData"):
            continue
        argument = _snake(own)
        properties[argument] = _schema(document, one.get("schema", one), 0)
        if one.get("required") or place == "path":
            required.append(argument)
        if place == "path":
            path = path.replace("{" + own + "}", "{" + argument + "}")
        else:
            (query if place == "query" else body)[own] = "{" + argument + "}"
            encoding = "form" if place == "formData" else encoding
    content = _resolved(document, operation.get("requestBody", {})).get("content", {})
    if content:
        kind = next((one for one in content if "json" in one), next(iter(content)))
        encoding = _FORMS.get(kind.split(";")[0], "")
        _body(document, content[kind].get("schema", {}), properties, required, body)
    params = {
        "type": "object",
        "properties": properties,
        "required": sorted(set(required)),
        "additionalProperties": False,
    }
    effect = method != "GET"
    summary = str(operation.get("summary") or operation.get("description") or name)
    made = {
        "verb": _snake(name),
        "meaning": f"DECIDE: {' '.join(summary.split())[:100]}",
        "method": method,
        "path": path,
        "params": params,
        **({"query": query} if query else {}),
        **({"body": body} if body else {}),
        **({"encoding": encoding} if encoding else {}),
        "result": {"id": "$.id"},
        "effect": effect,
    }
    evidence = {
        "level": "checked",
        "description": source,
        "operation": name,
        "response": "DECIDE: an answer published or recorded",
    }
    return made | (_undecided() if effect else {}) | {"evidence": evidence}


def _undecided() -> JsonObject:
    return {
        "risk": "L3",
        "idempotency": {
            "mode": "none",
            "why": "DECIDE: native, probe or none; does it take a key, can it be looked up?",
        },
        "irreversible": "DECIDE: name the verb that takes it back, or say why none does; and `money`, if it moves any",
    }


def _body(document: JsonObject, given: Any, properties: JsonObject, required: list[str], body: JsonObject) -> None:
    """The fields of a body as arguments of their own."""
    schema = _resolved(document, given)
    for part in schema.get("allOf", []):
        _body(document, part, properties, required, body)
    for own, one in schema.get("properties", {}).items():
        if _resolved(document, one).get("readOnly"):
            continue
        argument = _snake(own)
        properties[argument] = _schema(document, one, 0)
        body[own] = "{" + argument + "}"
        if own in schema.get("required", []):
            required.append(argument)


def _schema(document: JsonObject, given: Any, depth: int) -> JsonObject:
    """A schema of 2020-12 without references; what lies too deep takes anything, and says so."""
    schema = _resolved(document, given)
    if depth > _DEEP:
        return {"description": "DECIDE: nested too deep to draft"}
    made: JsonObject = {key: schema[key] for key in _PLAIN if isinstance(schema.get(key), str | list | bool)}
    made |= {key: int(schema[key]) for key in _NUMBERS if isinstance(schema.get(key), int | float)}
    if isinstance(made.get("required"), bool):
        del made["required"]
    if isinstance(schema.get("pattern"), str) and _is_pattern(schema["pattern"]):
        made["pattern"] = schema["pattern"]
    if isinstance(schema.get("items"), dict):
        made["items"] = _schema(document, schema["items"], depth + 1)
    if isinstance(schema.get("properties"), dict):
        names = cast("JsonObject", schema["properties"])
        made["properties"] = {name: _schema(document, one, depth + 1) for name, one in names.items()}
        made["additionalProperties"] = False
    for key in ("allOf", "anyOf", "oneOf"):
        if schema.get(key):
            made[key] = [_schema(document, one, depth + 1) for one in schema[key]]
    return made


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _resolved(document: JsonObject, node: Any) -> JsonObject:
    for _ in range(_DEEP):
        if not isinstance(node, Mapping) or "$ref" not in node:
            break
        target: Any = document
        for part in str(cast("JsonObject", node)["$ref"]).removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            target = cast("JsonObject", target).get(key, {}) if isinstance(target, dict) else {}
        node = target
    return cast("JsonObject", node) if isinstance(node, dict) else {}


def _base(document: JsonObject) -> str:
    servers = cast("list[JsonObject]", document.get("servers") or [])
    if servers:
        return str(servers[0].get("url", "DECIDE: its address"))
    host = document.get("host")
    return f"https://{host}{str(document.get('basePath', '')).rstrip('/')}" if host else "DECIDE: its address"


def _auth(document: JsonObject) -> JsonObject:
    components = cast("JsonObject", document.get("components", {}))
    schemes = cast("dict[str, Any]", components.get("securitySchemes") or document.get("securityDefinitions") or {})
    for given in schemes.values():
        one = _resolved(document, given)
        kind, scheme = one.get("type"), str(one.get("scheme", "")).lower()
        if kind == "http" and scheme == "bearer":
            return {"scheme": "bearer", "options": {"secret": "token"}, "secrets": {"token": "DECIDE: where to get it"}}
        if kind == "basic" or (kind == "http" and scheme == "basic"):
            secrets = {"user": "DECIDE: what it is", "password": "DECIDE: what it is"}
            return {"scheme": "basic", "options": {"user": "user", "password": "password"}, "secrets": secrets}
        if kind == "apiKey" and one.get("in") in ("header", "query"):
            name = "header" if one["in"] == "header" else "parameter"
            options = {name: str(one.get("name")), "secret": "key"}
            return {"scheme": one["in"], "options": options, "secrets": {"key": "DECIDE: where to get it"}}
        if kind == "oauth2":
            return _oauth(one)
    return {"scheme": "none", "options": {"why": "DECIDE: the document does not say how calls are signed"}}


def _oauth(scheme: JsonObject) -> JsonObject:
    flows = cast("JsonObject", scheme.get("flows") or {"clientCredentials": scheme})
    own = flows.get("clientCredentials")
    flow = cast("JsonObject", own or (next(iter(flows.values())) if flows else None) or {})
    secrets = {"client_id": "DECIDE: where to get it", "client_secret": "DECIDE: where to get it"}
    if not own:
        secrets |= {"refresh_token": "DECIDE: from the first consent"}
    url = str(flow.get("tokenUrl", "DECIDE: its token endpoint"))
    return {
        "scheme": "oauth2",
        "options": {"grant": "client_credentials" if own else "refresh_token", "token_url": url, "client": "basic"},
        "secrets": secrets,
    }


def _snake(name: str) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    text = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return text if re.match(r"[a-z]", text) else f"x_{text}"
