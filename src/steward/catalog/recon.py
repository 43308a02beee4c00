"""Terms of providers, settlement windows and resolutions of breaks: `reconciliation.yaml`, read when asked for."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

from steward.catalog.loader import model_of, parse_yaml
from steward.contracts.settlement import ReconTerms
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import CatalogError

FILE = "reconciliation.yaml"


def load_recon(root: Traversable | None = None) -> ReconTerms:
    """The terms of a catalog; a catalog without the file has none. `CatalogError` names what does not fit."""
    file = (root or files("steward.catalog")) / FILE
    if not file.is_file():
        return ReconTerms()
    document = parse_yaml(file.read_text(encoding="utf-8"), FILE)
    if not isinstance(document, dict):
        raise CatalogError("is not a mapping", where=FILE)
    return model_of(ReconTerms, cast("JsonObject", document), FILE, file)
