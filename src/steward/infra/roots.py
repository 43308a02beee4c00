"""The public certificate authorities, as Mozilla's list has them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@cache
def public_roots() -> Sequence[Certificate]:
    """Every root of the list that comes with the environment."""
    import certifi
    from cryptography import x509

    return x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes())
