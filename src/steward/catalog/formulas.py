"""Where formulas stand in a catalog's YAML files, to the character, and how one is exchanged for another.

Only the scalar that holds a formula is written anew, in the quotes it had; every other byte stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from steward.kernel.errors import BadInput, CatalogError

_KEYS = {"invariants": ("require", "when"), "states": ("holds",)}


@dataclass(frozen=True, slots=True)
class Place:
    """A formula in a file: of which rule and key, and its scalar from `start` to `end`; line and column from 1."""

    rule: str
    key: str
    text: str
    line: int
    column: int
    start: int
    end: int
    style: str


def places(text: str, where: str) -> list[Place]:
    """Every formula of a YAML text in file order; `CatalogError` if it is no YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CatalogError("is no YAML", where=where) from error
    found = {place.start: place for place in _document(root)}
    return [found[start] for start in sorted(found)]


def _pairs(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def _document(root: yaml.Node | None) -> Iterator[Place]:
    pairs = dict(_pairs(root))
    yield from _effect(pairs, "kind")
    for section, keys in _KEYS.items():
        for entry in _items(pairs.get(section)):
            named = dict(_pairs(entry))
            for key in keys:
                yield from _place(named.get(key), _name(named.get("id")), key)
    for entry in _items(pairs.get("kinds")):
        yield from _effect(dict(_pairs(entry)), "name")


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _name(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _effect(named: dict[str, yaml.Node], key: str) -> Iterator[Place]:
    for fact, node in _pairs(named.get("effect")):
        yield from _place(node, _name(named.get(key)), f"effect {fact}")


def _place(node: yaml.Node | None, rule: str, key: str) -> Iterator[Place]:
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str":
        start, end = node.start_mark, node.end_mark
        yield Place(rule, key, node.value, start.line + 1, start.column + 1, start.index, end.index, node.style or "")


def rewritten(text: str, where: str, canonical: Callable[[str], str]) -> tuple[str, list[Place]]:
    """The text with every formula in canonical form, and the places that change."""
    changed: list[Place] = []
    for place in reversed(places(text, where)):
        try:
            formula = canonical(place.text)
        except BadInput as error:
            at = f"{where} line {place.line} {place.rule} {place.key} {error.where}".strip()
            raise CatalogError(error.what, where=at, fix=error.fix) from error
        if formula != place.text.rstrip("\n" if place.style in ("|", ">") else ""):
            scalar = _scalar(formula, place, text[place.start : place.end])
            text = text[: place.start] + scalar + text[place.end :]
            changed.append(place)
    return text, changed[::-1]


def _scalar(formula: str, place: Place, old: str) -> str:
    """The formula as a YAML scalar in the style it had; a plain one that cannot stay plain gets quotes."""
    if place.style in ("|", ">"):
        head, _, body = old.partition("\n")
        indent = body[: len(body) - len(body.lstrip(" "))]
        kept = old[len(old.rstrip("\n\r ")) :]
        return f"{head}\n{indent}{formula}{kept}"
    if place.style == "'":
        return "'" + formula.replace("'", "''") + "'"
    if place.style == "" and _stays(formula):
        return formula
    return '"' + "".join(_escaped(letter) for letter in formula) + '"'


def _stays(formula: str) -> bool:
    """Whether YAML reads the formula back as it stands, without quotes, inside braces too."""
    try:
        return yaml.safe_load("{a: " + formula + "}") == {"a": formula}
    except yaml.YAMLError:
        return False


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
