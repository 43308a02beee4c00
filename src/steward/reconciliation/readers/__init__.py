"""Files as finance teams get them -> `Reading`, one module for each provider or format.

A reader is a pure function of bytes. It raises `BadInput` for what it cannot read at all, and returns a refusal for
what it understands and will not take: totals that do not hold, a line of money that says nothing clear, a file that
is no settlement. It never drops a line: what moved no money by the format's own word is listed in `rejected`.
"""

from __future__ import annotations

from collections.abc import Callable

from steward.contracts.base import JsonObject
from steward.contracts.settlement import Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers import (
    adyen,
    amazon,
    braintree,
    camt,
    checkoutcom,
    mapped,
    mt940,
    ofx,
    paypal,
    shopify,
    stripe,
    tiktok,
)

__all__ = ["PROVIDERS", "read"]

_READERS: dict[str, Callable[[bytes, str], Reading]] = {
    "stripe": stripe.read,
    "paypal": paypal.read,
    "adyen": adyen.read,
    "checkoutcom": checkoutcom.read,
    "braintree": braintree.read,
    "shopify": shopify.read,
    "tiktok": tiktok.read,
    "amazon": amazon.read,
    "camt": camt.read,
    "mt940": mt940.read,
    "ofx": ofx.read,
}
PROVIDERS = (*_READERS, "csv")
"""What `read` takes; `csv` needs a mapping."""


def read(provider: str, content: bytes, name: str, mapping: JsonObject | None = None) -> Reading:
    """What a file says. `name` is the file's own name: statements are called by it where the file names none. `mapping`
    says what the columns of a `csv` file mean (docs/reference/settlement-files.md).
    """
    if not content:
        raise BadInput("the file is empty", where=name)
    if provider == "csv":
        return mapped.read(content, name, mapping)
    reader = _READERS.get(provider)
    if reader is None:
        raise BadInput(f"no reader for {provider!r}", fix=f"known are {', '.join(PROVIDERS)}")
    return reader(content, name)
