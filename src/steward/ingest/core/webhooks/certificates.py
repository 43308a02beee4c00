"""PayPal's scheme: an RSA signature, checked with a certificate that PayPal serves and an authority vouches for."""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from steward.ingest.core.webhooks.model import RawDelivery
from steward.ingest.core.webhooks.signatures import Scheme, Verified, header, refuse, rfc3339, utf8, within

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate

# Whose certificate it must be: the test system's where a host of the test system serves it.
_NAME, _TEST_NAME = (f"messageverificationcerts{part}.paypal.com" for part in ("", ".sandbox"))
# PayPal tries for three days to deliver, and says when it first sent.
_WINDOW = timedelta(days=4)

Roots = Callable[[], "Sequence[Certificate]"]


def certificate_url(delivery: RawDelivery) -> str | None:
    """Where the certificate is, if that is PayPal's own host over https; anything else is not even asked."""
    host = _host(delivery)
    return delivery.headers["paypal-cert-url"] if host else None


def _host(delivery: RawDelivery) -> str | None:
    given = delivery.headers.get("paypal-cert-url", "")
    if not given.isascii() or not given.isprintable() or " " in given or "\\" in given:
        return None
    try:
        address = urlsplit(given)
        host = (address.hostname or "").lower()
        plain = address.scheme == "https" and address.username is None and address.port in {None, 443}
    except ValueError:
        return None
    return host if plain and host.endswith(".paypal.com") else None


def paypal_scheme(roots: Roots) -> Scheme:
    """RSA-SHA256 over `<transmission id>|<time>|<webhook id>|<crc32 of the body>`. A secret is a webhook id."""

    def check(delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        number, stamp = header(delivery, "paypal-transmission-id"), header(delivery, "paypal-transmission-time")
        if header(delivery, "paypal-auth-algo") != "SHA256withRSA":
            raise refuse("malformed_header", "paypal-auth-algo is not SHA256withRSA")
        signature = _signature(header(delivery, "paypal-transmission-sig"))
        header(delivery, "paypal-cert-url")
        key = _trusted_key(delivery, roots(), now)
        for index, webhook_id in enumerate(secrets):
            message = utf8(f"{number}|{stamp}|{webhook_id}|{zlib.crc32(delivery.body)}")
            try:
                key.verify(signature, message, PKCS1v15(), hashes.SHA256())
            except InvalidSignature:
                continue
            return Verified(index, within(rfc3339(stamp, "paypal-transmission-time"), now, _WINDOW))
        raise refuse("wrong_signature", "the signature fits none of the webhook ids")

    return Scheme("paypal", check, signs_time=True, certificate_header="paypal-cert-url")


def _signature(text: str) -> bytes:
    """Base64 in its one form: else several texts were one signature."""
    try:
        signature = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise refuse("malformed_header", "paypal-transmission-sig is not base64") from None
    if b64encode(signature) != utf8(text):
        raise refuse("malformed_header", "paypal-transmission-sig is not base64 in its usual form")
    return signature


def _trusted_key(delivery: RawDelivery, roots: Sequence[Certificate], now: datetime) -> RSAPublicKey:
    """The key of a certificate for PayPal's own name that chains to one of the roots, now."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

    pem, host = delivery.certificate, _host(delivery)
    if not pem or not host:
        raise refuse("bad_certificate", "there is no certificate from a paypal.com address")
    try:
        leaf, *chain = x509.load_pem_x509_certificates(pem)
        name = x509.DNSName(_TEST_NAME if host.endswith(".sandbox.paypal.com") else _NAME)
        PolicyBuilder().store(Store(list(roots))).time(now).build_server_verifier(name).verify(leaf, chain)
        key = leaf.public_key()
    except (ValueError, VerificationError) as error:
        raise refuse("bad_certificate", f"the certificate is not to be trusted: {error}") from error
    if not isinstance(key, RSAPublicKey):
        raise refuse("bad_certificate", "the certificate holds no RSA key")
    return key
