"""PayPal's webhook signatures: RSA over transmission id, time, webhook id and the body's CRC-32, by a certificate that
the face serves itself. The key is made when the face opens and is part of no world.
"""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from livemarket.faces.clock import wall
from livemarket.faces.webhooks import Endpoint

CERTIFICATE_PATH = "/v1/notifications/certs/CERT-simulated"


def message(transmission: str, time: str, webhook: str, body: bytes) -> bytes:
    return f"{transmission}|{time}|{webhook}|{zlib.crc32(body)}".encode()


class Signer:
    """`base` is known once the face listens."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated messageverificationcerts.paypal")])
        now = datetime.fromtimestamp(wall(), UTC)
        made = x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
        self.certificate = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.base = ""

    def headers(self, endpoint: Endpoint, body: bytes, at: int, name: str) -> dict[str, str]:
        time = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signed = self._key.sign(message(name, time, endpoint.id, body), padding.PKCS1v15(), hashes.SHA256())
        return {
            "paypal-transmission-id": name, "paypal-transmission-time": time, "paypal-auth-algo": "SHA256withRSA",
            "paypal-cert-url": f"{self.base}{CERTIFICATE_PATH}",
            "paypal-transmission-sig": base64.b64encode(signed).decode(),
        }  # fmt: skip

    def verifies(self, text: bytes, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.public_key().verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True
