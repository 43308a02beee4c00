"""Amounts as callers write them: text or JSON numbers with at most two decimals. No floats on the way."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

MOST = 10**9  # minor units


def decoded(body: bytes) -> Any:
    """JSON whose fractions stay decimal; an empty body is an empty object. Raises ValueError."""
    return json.loads(body, parse_float=Decimal) if body.strip() else {}


def minor(value: Any) -> int | None:
    """Minor units, if it is an amount of whole ones: 12, "12.5", "12.50"."""
    if isinstance(value, str):
        text = value.strip()
        value = Decimal(text) if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    scaled = Decimal(value) * 100
    return int(scaled) if scaled == int(scaled) and 0 <= scaled <= MOST else None
