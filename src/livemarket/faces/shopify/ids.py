"""Shopify's numbers: orders from `numbers.py`, children of orders, and one range each for what is few."""

from __future__ import annotations

from livemarket.faces.numbers import CHILDREN

LOCATION = 6_884_000_001
SHOP = 548_380_009
_PRODUCT, _VARIANT, _ITEM = 8_000_000_000_001, 4_100_000_000_001, 4_500_000_000_001
_CUSTOMER, _ACCOUNT = 7_000_000_000_000, 7_900_000_000_000
PREFIX = "gid://shopify/"


def product(sku: int) -> int:
    return _PRODUCT + sku


def variant(sku: int) -> int:
    return _VARIANT + sku


def item(sku: int) -> int:
    """The inventory item of a variant."""
    return _ITEM + sku


_FIRST = {"Product": _PRODUCT, "ProductVariant": _VARIANT, "InventoryItem": _ITEM}


def sku_of(kind: str, number: int, skus: int) -> int | None:
    """Which product a number of this kind means."""
    sku = number - _FIRST[kind]
    return sku if 0 <= sku < skus else None


def customer(number: int) -> int:
    return _CUSTOMER + number if number >= 0 else _ACCOUNT - number


def customer_of(number: int) -> int:
    return number - _CUSTOMER if number < _ACCOUNT else _ACCOUNT - number


def child(order: int, place: int) -> int:
    """The `place`-th transaction, refund, line or parcel of an order."""
    return order * CHILDREN + place


def parent(number: int) -> tuple[int, int]:
    """The order of a child, and its place."""
    return divmod(number, CHILDREN)


def gid(kind: str, number: int) -> str:
    return f"{PREFIX}{kind}/{number}"


def number_of(kind: str, text: str) -> int | None:
    """The number in a global id of this kind."""
    head, _, tail = text.rpartition("/")
    tail = tail.partition("?")[0]
    return int(tail) if head == f"{PREFIX}{kind}" and tail.isdecimal() and len(tail) < 20 else None
