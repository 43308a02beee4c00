"""Contracts with vendors and how their bills are read: `contracts.yaml`, read when asked for."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

from steward.catalog.loader import model_of, parse_yaml
from steward.contracts.invoice import ContractBook
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import CatalogError

FILE = "contracts.yaml"


def load_contracts(root: Traversable | None = None) -> ContractBook:
    """The contracts of a catalog; a catalog without the file has none. `CatalogError` names what does not fit."""
    file = (root or files("steward.catalog")) / FILE
    if not file.is_file():
        return ContractBook()
    document = parse_yaml(file.read_text(encoding="utf-8"), FILE)
    if not isinstance(document, dict):
        raise CatalogError("is not a mapping", where=FILE)
    return model_of(ContractBook, cast("JsonObject", document), FILE, file)
