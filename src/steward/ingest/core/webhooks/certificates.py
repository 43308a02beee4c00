"""PayPal's scheme: an RSA signature, checked with a certificate that PayPal serves and an authority vouches for."""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from steward.ingest.core.webhooks.model import RawDelivery
from steward.ingest.core.webhooks.signatures import Scheme, Verified, header, refuse, rfc3339, within

_NAME = x509.DNSName("messageverificationcerts.paypal.com")
# PayPal tries for three days to deliver, and says when it first sent.
_WINDOW = timedelta(days=4)

Roots = Callable[[], Sequence[x509.Certificate]]


def certificate_url(delivery: RawDelivery) -> str | None:
    """Where the certificate is, if that is PayPal's own host over https; anything else is not even asked."""
    address = urlsplit(delivery.headers.get("paypal-cert-url", ""))
    host = (address.hostname or "").lower()
    is_theirs = host == "paypal.com" or host.endswith(".paypal.com")
    plain = address.scheme == "https" and address.username is None and address.port in {None, 443}
    return address.geturl() if is_theirs and plain else None


def paypal_scheme(roots: Roots) -> Scheme:
    """RSA-SHA256 over `<transmission id>|<time>|<webhook id>|<crc32 of the body>`. A secret is a webhook id."""

    def check(delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified:
        number, stamp = header(delivery, "paypal-transmission-id"), header(delivery, "paypal-transmission-time")
        if header(delivery, "paypal-auth-algo") != "SHA256withRSA":
            raise refuse("malformed_header", "paypal-auth-algo is not SHA256withRSA")
        try:
            signature = b64decode(header(delivery, "paypal-transmission-sig"), validate=True)
        except (binascii.Error, ValueError):
            raise refuse("malformed_header", "paypal-transmission-sig is not base64") from None
        key = _trusted_key(delivery.certificate, roots(), now)
        for index, webhook_id in enumerate(secrets):
            message = f"{number}|{stamp}|{webhook_id}|{zlib.crc32(delivery.body)}".encode()
            try:
                key.verify(signature, message, PKCS1v15(), hashes.SHA256())
            except InvalidSignature:
                continue
            return Verified(index, within(rfc3339(stamp, "paypal-transmission-time"), now, _WINDOW))
        raise refuse("wrong_signature", "the signature fits none of the webhook ids")

    return Scheme("paypal", check, signs_time=True, certificate_header="paypal-cert-url")


def _trusted_key(pem: bytes, roots: Sequence[x509.Certificate], now: datetime) -> RSAPublicKey:
    """The key of a certificate for PayPal's own name that chains to one of the roots, now."""
    if not pem:
        raise refuse("bad_certificate", "there is no certificate from a paypal.com address")
    try:
        leaf, *chain = x509.load_pem_x509_certificates(pem)
        PolicyBuilder().store(Store(list(roots))).time(now).build_server_verifier(_NAME).verify(leaf, chain)
        key = leaf.public_key()
    except (ValueError, VerificationError) as error:
        raise refuse("bad_certificate", f"the certificate is not to be trusted: {error}") from error
    if not isinstance(key, RSAPublicKey):
        raise refuse("bad_certificate", "the certificate holds no RSA key")
    return key
