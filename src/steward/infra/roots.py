"""The public certificate authorities, as Mozilla's list has them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509


@cache
def public_roots() -> Sequence[x509.Certificate]:
    """Every root of the list that comes with the environment."""
    return x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes())
