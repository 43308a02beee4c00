"""Requests and answers against a provider's official description: OpenAPI 3.0, 3.1 or Swagger 2, by JSON Schema.

Stricter than the descriptions in one thing: a name in a request that the description does not know is a problem, unless
it says that any name may stand there.
"""

import json
import re
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
METHODS = ("get", "put", "post", "delete", "patch")
CREDENTIALS = ("authorization", "access-token", "token", "content-type")  # put on when a request is signed and sent


def as_schemas(node):
    """A description whose schemas are those of 2020-12: what OpenAPI 3.0 writes otherwise is rewritten."""
    if isinstance(node, list):
        return [as_schemas(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {str(key): as_schemas(part) for key, part in node.items()}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
        if isinstance(node.get("enum"), list) and None not in node["enum"]:
            node["enum"] = [*node["enum"], None]
    for name, edge in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(name), bool) and node.pop(name) and edge in node:
            node[name] = node.pop(edge)
    pattern = node.get("pattern")
    if isinstance(pattern, str) and pattern.endswith("$") and not pattern.endswith("\\$"):
        node["pattern"] = pattern[:-1] + r"\Z"  # what `$` means in JSON Schema
    if node.get("type") == "file":
        node["type"] = "string"
    if isinstance(node.get("properties"), dict) and isinstance(node.get("required"), list):
        read = {name for name, part in node["properties"].items() if isinstance(part, dict) and part.get("readOnly")}
        node["required"] = [name for name in node["required"] if name not in read]
    if "in" in node and "name" in node and "schema" not in node:  # a parameter of Swagger 2 is its own schema
        node["schema"] = {k: v for k, v in node.items() if k not in ("in", "name", "required", "description")}
    return node


class Described:
    """One description, read once."""

    def __init__(self, path):
        text = path.read_text(encoding="utf-8")
        self.doc = as_schemas(json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=LOADER))
        self.merge(self.doc)
        self.registry = Registry().with_resource("urn:d", DRAFT202012.create_resource(self.doc))
        self.schema = cache(self._validator)
        self.operation = cache(self._operation)

    def merge(self, node):
        """Parts of an allOf that each forbid every name of the others mean: no name that none of them has."""
        for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            self.merge(part)
        parts = node.get("allOf") if isinstance(node, dict) else None
        for part in [node, *parts] if isinstance(parts, list) else ():
            found = self.resolved(part)
            if found.get("additionalProperties") is False:
                del found["additionalProperties"]

    def _operation(self, name):
        """(method, path template, operation, its parameters)."""
        for path, item in self.doc["paths"].items():
            for method in METHODS:
                one = item.get(method)
                if one is not None and one.get("operationId") == name:
                    shared = [*item.get("parameters", []), *one.get("parameters", [])]
                    found = [self.resolved(part) for part in shared]
                    return method, path, one, [{**p, "schema": p.get("schema") or self._content(p)[1]} for p in found]
        raise LookupError(f"no operation {name}")

    def resolved(self, node):
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target = self.doc
            for part in node["$ref"].removeprefix("#/").split("/"):
                key = unquote(part).replace("~1", "/").replace("~0", "~")
                target = target[int(key)] if isinstance(target, list) else target[key]
            node = target
        return node

    def _content(self, node, wanted=""):
        """(media type, schema) of what a body or a parameter holds; the one wanted where it is there."""
        content = node.get("content") or {}
        kind = next((one for one in content if one.split(";")[0] == wanted), None)
        if kind is None and not wanted:
            kind = next(iter(content), None)
        return kind, (content.get(kind) or {}).get("schema", {}) if kind else {}

    def _validator(self, text):
        schema = json.loads(text)
        return Draft202012Validator(self._absolute(schema), registry=self.registry)

    def _absolute(self, node):
        if isinstance(node, list):
            return [self._absolute(part) for part in node]
        if not isinstance(node, dict):
            return node
        return {
            k: f"urn:d{v}" if k == "$ref" and isinstance(v, str) and v.startswith("#") else self._absolute(v)
            for k, v in node.items()
        }

    def wrong(self, schema, value, place, *, strict=True):
        """What of a value is not as described."""
        validator = self.schema(json.dumps(schema, sort_keys=True, default=str))
        found = [f"{place}{error.json_path[1:]}: {error.message[:120]}" for error in validator.iter_errors(value)]
        return found + ([f"{place}: {name} is not described" for name in self.unknown(schema, value)] if strict else [])

    def known(self, schema, depth=0):
        """(names to their schemas, whether any other name may stand there)."""
        schema = self.resolved(schema)
        names, is_open = dict(schema.get("properties", {})), bool(schema.get("additionalProperties"))
        parts = [part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, [])]
        if depth < 12:
            for part in parts:
                more, more_open = self.known(part, depth + 1)
                for name, one in more.items():
                    names[name] = {"anyOf": [names[name], one]} if name in names else one
                is_open = is_open or more_open
        return names, is_open or (not names and not parts)

    def unknown(self, schema, value, depth=0):
        schema = self.resolved(schema)
        if isinstance(value, list):
            items = self.items(schema)
            return [name for one in value for name in self.unknown(items, one, depth + 1)] if items else []
        if not isinstance(value, dict) or depth > 20:
            return []
        names, is_open = self.known(schema)
        found = [] if is_open else [name for name in value if name not in names]
        return found + [n for k, v in value.items() if k in names for n in self.unknown(names[k], v, depth + 1)]

    def items(self, schema):
        schema = self.resolved(schema)
        if "items" in schema:
            return schema["items"]
        parts = [self.items(part) for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, [])]
        return next((part for part in parts if part), None)

    def typed(self, schema, value):
        """Text of a form, a path or a query as the type its schema gives it."""
        schema = self.resolved(schema)
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                tried = [(part, self.typed(part, value)) for part in schema[key]]
                return next((v for part, v in tried if not self.wrong(part, v, "", strict=False)), tried[0][1])
        if len(schema.get("allOf", [])) == 1:
            return self.typed(schema["allOf"][0], value)
        kinds = schema.get("type")
        kind = kinds if isinstance(kinds, str) else next((one for one in kinds or [] if one != "null"), None)
        if isinstance(value, dict):
            if kind == "array" and all(key.isdecimal() for key in value):
                return [self.typed(schema.get("items", {}), value[key]) for key in sorted(value, key=int)]
            names, _ = self.known(schema)
            rest = schema.get("additionalProperties")
            rest = rest if isinstance(rest, dict) else {}
            return {key: self.typed(names.get(key, rest), part) for key, part in value.items()}
        if kind == "integer" and re.fullmatch(r"-?\d+", value):
            return int(value)
        if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return float(value)
        if kind == "boolean" and value in ("true", "false"):
            return value == "true"
        if kind in ("array", "object") and value[:1] in ("[", "{"):
            try:
                return json.loads(value)
            except ValueError:
                return value
        if kind == "array":
            return [self.typed(schema.get("items", {}), part) for part in value.split(",")]
        return value

    def problems(self, request, name):
        """Everything of a request that an operation does not describe."""
        method, template, operation, parameters = self.operation(name)
        parts = urlsplit(request.url)
        names = re.findall(r"\{([^{}]+)\}", template)
        pattern = re.sub(r"\\\{[^{}]+\\\}", "([^/]+)", re.escape(template))
        match = re.search(f"{pattern}$", parts.path)
        if match is None or request.method.lower() != method:
            return [f"{request.method} {parts.path} is not {method} {template}"]
        by_place = {
            "path": dict(zip(names, map(unquote, match.groups()), strict=True)),
            "header": {key.lower(): value for key, value in request.headers.items()},
        }
        found = []
        for one in parameters:
            given = by_place.get(one["in"])
            if given is not None:
                key = one["name"].lower() if one["in"] == "header" else one["name"]
                if key in given:
                    found += self.wrong(one["schema"], self.typed(one["schema"], given[key]), one["name"])
                elif one.get("required") and key not in CREDENTIALS:
                    found.append(f"{one['in']}: {one['name']} is missing")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        found += self.query(pairs, [p for p in parameters if p["in"] == "query"])
        return found + self.body(request, operation, parameters)

    def query(self, pairs, parameters):
        found, taken = [], set()
        for one in parameters:
            name, style = one["name"], one.get("style", "form")
            values = [value for key, value in pairs if key == name]
            nested = [(key, value) for key, value in pairs if key.startswith(f"{name}[")]
            if nested and style == "deepObject":
                value = self.typed(one["schema"], tree(nested)[name])
                taken |= {key for key, _ in nested}
            elif values:
                value = self.typed(one["schema"], values[0])
                if len(values) > 1:
                    value = [part for text in values for part in self.typed(one["schema"], text)]
                taken.add(name)
            else:
                if one.get("required") and name.lower() not in CREDENTIALS:
                    found.append(f"query: {name} is missing")
                continue
            found += self.wrong(one["schema"], value, name)
        return found + [f"query: {key} is not described" for key, _ in pairs if key not in taken]

    def body(self, request, operation, parameters):
        kind = request.headers.get("Content-Type", "").split(";")[0]
        if "requestBody" in operation:
            wanted = self.resolved(operation["requestBody"])
            media, schema = self._content(wanted, kind)
            if not request.body:
                return ["body: is missing"] if wanted.get("required") else []
            if media is None:
                return [f"body: {kind} is not described, {', '.join(wanted.get('content', {}))} is"]
            return self.wrong(schema, self.parsed(request.body, kind, schema), "body")
        whole = next((one for one in parameters if one["in"] == "body"), None)
        fields = [one for one in parameters if one["in"] == "formData"]
        if whole is not None:
            if not request.body:
                return ["body: is missing"] if whole.get("required") else []
            return self.wrong(whole["schema"], self.parsed(request.body, kind, whole["schema"]), "body")
        if fields:
            needed = [one["name"] for one in fields if one.get("required") and one["name"] not in CREDENTIALS]
            schema = {"type": "object", "properties": {f["name"]: f["schema"] for f in fields}, "required": needed}
            return self.wrong(schema, self.parsed(request.body, kind, schema), "body")
        return ["body: none is described"] if request.body not in (b"", b"{}") else []

    def parsed(self, body, kind, schema):
        if kind == "application/json" or kind.endswith("+json"):
            return json.loads(body)
        if kind == "application/x-www-form-urlencoded":
            return self.typed({**self.resolved(schema)}, tree(parse_qsl(body.decode(), keep_blank_values=True)))
        if kind == "multipart/form-data":
            parts = re.findall(rb'name="([^"]*)"\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
            return self.typed(schema, {name.decode(): value.decode() for name, value in parts})
        return body.decode()

    def responses(self, name):
        """Published examples of good answers."""
        _, _, operation, _ = self.operation(name)
        for status, answer in operation.get("responses", {}).items():
            found = self.resolved(answer)
            if str(status)[:1] != "2":
                continue
            for media in (found.get("content") or {}).values():
                if "example" in media:
                    yield int(status), media["example"]
                for one in (media.get("examples") or {}).values():
                    value = self.resolved(one)
                    if isinstance(value, dict) and "value" in value:
                        yield int(status), value["value"]
            for one in (found.get("examples") or {}).values() if "content" not in found else []:
                yield int(status), one


def tree(pairs):
    """Bracketed names as nested objects; lists keep their numbers as keys."""
    made = {}
    for key, value in pairs:
        names = [part for part in re.split(r"[\[\]]+", key) if part]
        node = made
        for name in names[:-1]:
            node = node.setdefault(name, {})
        node[names[-1]] = value
    return made
