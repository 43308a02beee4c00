"""Own small files of every format, beside this."""

import json
from pathlib import Path

import pytest

from steward.reconciliation.readers import read

FILES = Path(__file__).parent / "files"
PROVIDERS = {"camt052": "camt", "camt053": "camt", "camt054": "camt", "mt942": "mt940", "ofx1": "ofx", "ofx2": "ofx"}
TABLES = {"bank", "market"}


def provider_of(name):
    first = name.partition(".")[0].partition("_")[0]
    return "csv" if first in TABLES else PROVIDERS.get(first, first)


def reading_of(name, content=None):
    """What the reader of this file says of it, or of other bytes in its place."""
    mapping = FILES / f"{name.partition('.')[0]}.mapping.json"
    told = json.loads(mapping.read_text(encoding="utf-8")) if mapping.exists() else None
    return read(provider_of(name), (FILES / name).read_bytes() if content is None else content, name, told)


@pytest.fixture
def own():
    return reading_of


@pytest.fixture
def changed():
    """The same file with one text in place of another, which must be in it."""

    def make(name, old, new):
        content = (FILES / name).read_bytes()
        assert old.encode() in content, f"{old!r} is not in {name}"
        return reading_of(name, content.replace(old.encode(), new.encode(), 1))

    return make
