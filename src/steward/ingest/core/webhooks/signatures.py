"""Webhook signatures, each as its provider documents it; any one of several secrets may fit, so keys can be rotated."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from steward.ingest.core.webhooks.model import RawDelivery
from steward.kernel.errors import BadInput

WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Verified:
    """The delivery is the provider's. `secret_index` says which secret fitted; `signed_at` when, if that is signed."""

    secret_index: int
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unverified:
    """Not to be believed: no_secret, missing_header, malformed_header, wrong_signature, too_old, from_the_future,
    bad_certificate.
    """

    code: str
    reason: str


Check = Callable[[RawDelivery, Sequence[str], datetime], Verified | Unverified]


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a provider signs. `documented` is false where it does not: then the address itself is the secret, and what
    it brings is only a hint until the object was fetched again.
    """

    name: str
    check: Check
    signs_time: bool
    documented: bool = True
    certificate_header: str | None = None


class _Refuse(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.answer = Unverified(code, reason)


def verify(scheme: Scheme, delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified | Unverified:
    """Whether the delivery was signed with one of `secrets`, and within the replay window where a time is signed."""
    if not any(secret.strip() for secret in secrets):  # an empty key signs for everybody
        return Unverified("no_secret", "no secret is set for this provider, so nothing can be believed")
    try:
        return scheme.check(delivery, secrets, now)
    except _Refuse as refused:
        return refused.answer


def header(delivery: RawDelivery, name: str) -> str:
    value = delivery.headers.get(name)
    if not value:
        raise _Refuse("missing_header", f"the header {name} is missing")
    return value


def refuse(code: str, reason: str) -> Exception:
    """The exception that a check raises to refuse."""
    return _Refuse(code, reason)


def within(signed_at: datetime, now: datetime, window: timedelta = WINDOW) -> datetime:
    if signed_at < now - window:
        raise _Refuse("too_old", f"signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}, more than {window} ago")
    if signed_at > now + WINDOW:
        raise _Refuse("from_the_future", f"signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}")
    return signed_at


def utf8(text: str) -> bytes:
    """The text as it came: half a surrogate pair is no reason to stumble over a stranger's header."""
    return text.encode("utf-8", "surrogatepass")


def unix_time(text: str, name: str) -> datetime:
    if not (text.isascii() and text.isdecimal() and len(text) <= 11):
        raise _Refuse("malformed_header", f"{name} holds no Unix time")
    return datetime.fromtimestamp(int(text), UTC)


def fitting(secrets: Sequence[str], made: Callable[[str], str | None], given: Sequence[str]) -> int:
    """The index of the secret whose signature is among those given. All are compared, in constant time each, and as
    the text they came in: two texts that decode to one digest are not one signature. A secret that cannot sign
    (`made` is None) is passed over, so that a misspelt one does not close the door for the others.
    """
    found, usable = -1, False
    for index, secret in enumerate(secrets):
        expected = made(secret) if secret.strip() else None
        if expected is None:
            continue
        usable = True
        for one in given:
            if hmac.compare_digest(utf8(expected), utf8(one)) and found < 0:
                found = index
    if not usable:
        raise _Refuse("no_secret", "no secret is of the form that this scheme needs")
    if found < 0:
        raise _Refuse("wrong_signature", "the signature fits none of the secrets")
    return found


def _hex(key: bytes, message: bytes) -> str:
    return hmac.digest(key, message, hashlib.sha256).hex()


def _base64(key: bytes, message: bytes) -> str:
    return b64encode(hmac.digest(key, message, hashlib.sha256)).decode()


def _stripe(delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified:
    """`Stripe-Signature: t=<unix>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `<t>.<body>`."""
    parts = [part.partition("=") for part in header(delivery, "stripe-signature").split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    signatures = [value for name, _, value in parts if name.strip() == "v1"]
    if len(times) != 1 or not signatures:
        raise _Refuse("malformed_header", "stripe-signature needs one t and a v1")
    signed = utf8(times[0]) + b"." + delivery.body
    index = fitting(secrets, lambda secret: _hex(utf8(secret), signed), signatures)
    return Verified(index, within(unix_time(times[0], "stripe-signature"), now))


def _shopify(delivery: RawDelivery, secrets: Sequence[str], _now: datetime) -> Verified:
    """`X-Shopify-Hmac-Sha256`: base64 of HMAC-SHA256 over the body. No time is signed."""
    given = header(delivery, "x-shopify-hmac-sha256")
    return Verified(fitting(secrets, lambda secret: _base64(utf8(secret), delivery.body), [given]), None)


def _tiktok_shop(delivery: RawDelivery, secrets: Sequence[str], _now: datetime) -> Verified:
    """`Authorization`: hex HMAC-SHA256 under the app secret over app key and body. A secret is `app_key:app_secret`."""
    given = header(delivery, "authorization")

    def made(secret: str) -> str | None:
        key, _, own = secret.partition(":")
        return _hex(utf8(own), utf8(key) + delivery.body) if key and own else None

    return Verified(fitting(secrets, made, [given]), None)


def _easypost(delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified:
    """Under the NFKD-normalised secret, as `hmac-sha256-hex=<hex>`. `X-Hmac-Signature` is over the body and signs no
    time. Where `X-Hmac-Signature-V2` came too, that one counts: over `X-Timestamp` (RFC 2822), method, `X-Path`, body.
    """
    is_second = "x-hmac-signature-v2" in delivery.headers
    given = header(delivery, "x-hmac-signature-v2" if is_second else "x-hmac-signature")
    stamp, path = (header(delivery, "x-timestamp"), header(delivery, "x-path")) if is_second else ("", "")
    signed = (utf8(stamp + delivery.method.upper() + path) if is_second else b"") + delivery.body

    def made(secret: str) -> str:
        return "hmac-sha256-hex=" + _hex(utf8(unicodedata.normalize("NFKD", secret)), signed)

    index = fitting(secrets, made, [given])
    return Verified(index, within(_rfc2822(stamp), now) if is_second else None)


def _rfc2822(text: str) -> datetime:
    try:
        at = parsedate_to_datetime(text)
        # -0000 is UTC of an unstated zone, and Python makes it a time without one.
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise _Refuse("malformed_header", "x-timestamp holds no time") from None


def _zendesk(delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified:
    """`X-Zendesk-Webhook-Signature`: base64 of HMAC-SHA256 over the timestamp header and the body."""
    given = header(delivery, "x-zendesk-webhook-signature")
    stamp = header(delivery, "x-zendesk-webhook-signature-timestamp")
    index = fitting(secrets, lambda secret: _base64(utf8(secret), utf8(stamp) + delivery.body), [given])
    return Verified(index, within(rfc3339(stamp, "x-zendesk-webhook-signature-timestamp"), now))


def rfc3339(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise _Refuse("malformed_header", f"{name} has no UTC offset")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Refuse("malformed_header", f"{name} holds no time") from None


def _standard(delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified:
    """Standard Webhooks 1.0: `webhook-signature: v1,<base64>` (several, separated by spaces) over id, timestamp and
    body joined by dots, under the base64-decoded secret. Svix sends the same under its own header names.
    """
    kind = "svix" if "svix-id" in delivery.headers and "webhook-id" not in delivery.headers else "webhook"
    number, stamp = header(delivery, f"{kind}-id"), header(delivery, f"{kind}-timestamp")
    versions = [part.partition(",") for part in header(delivery, f"{kind}-signature").split(" ")]
    given = [value.rstrip("=") for version, _, value in versions if version == "v1"]  # some leave the padding out
    if not given:
        raise _Refuse("malformed_header", f"{kind}-signature holds no v1 signature")
    signed = utf8(f"{number}.{stamp}.") + delivery.body

    def made(secret: str) -> str | None:
        try:
            key = b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            return None
        return _base64(key, signed).rstrip("=") if key else None

    index = fitting(secrets, made, given)
    return Verified(index, within(unix_time(stamp, f"{kind}-timestamp"), now))


def _secret_path(delivery: RawDelivery, secrets: Sequence[str], _now: datetime) -> Verified:
    """No signature is documented: the last segment of the address is the secret."""
    given = delivery.path.rstrip("/").rpartition("/")[2]
    return Verified(fitting(secrets, lambda secret: secret, [given]), None)


_TEMPLATE_PART = re.compile(r"\{(timestamp|method|path|body)\}")


def hmac_scheme(
    header_name: str, encoding: str, prefix: str, time_header: str | None, template: str | None = None
) -> Scheme:
    """A home-grown platform's scheme as data: HMAC-SHA256 over `template`, whose parts are {timestamp}, {method},
    {path} and {body}. Without one it is the body, or `{timestamp}.{body}` where there is a time header (Unix seconds
    or RFC 3339).
    """
    shape = template or ("{timestamp}.{body}" if time_header else "{body}")
    names = _TEMPLATE_PART.findall(shape)
    if names.count("body") != 1 or ("timestamp" in names) != (time_header is not None):
        raise BadInput(
            f"{shape!r} does not sign the body once, and the time exactly if there is a time header",
            where="template",
            fix="write for example {timestamp}.{body} and name the time header",
        )

    def check(delivery: RawDelivery, secrets: Sequence[str], now: datetime) -> Verified:
        given = header(delivery, header_name)
        stamp = header(delivery, time_header) if time_header else ""
        values = {"timestamp": stamp, "method": delivery.method.upper(), "path": delivery.path}
        before, after = (_TEMPLATE_PART.sub(lambda m: values[m[1]], part) for part in shape.split("{body}"))
        signed = utf8(before) + delivery.body + utf8(after)
        code = _hex if encoding == "hex" else _base64
        index = fitting(secrets, lambda secret: prefix + code(utf8(secret), signed), [given])
        if not time_header:
            return Verified(index, None)
        is_unix = stamp.isascii() and stamp.isdecimal()
        return Verified(index, within((unix_time if is_unix else rfc3339)(stamp, time_header), now))

    return Scheme("hmac", check, signs_time=time_header is not None)


STRIPE = Scheme("stripe", _stripe, signs_time=True)
SHOPIFY = Scheme("shopify", _shopify, signs_time=False)
TIKTOK_SHOP = Scheme("tiktok_shop", _tiktok_shop, signs_time=False)
EASYPOST = Scheme("easypost", _easypost, signs_time=False)
ZENDESK = Scheme("zendesk", _zendesk, signs_time=True)
STANDARD = Scheme("standard", _standard, signs_time=True)
SECRET_PATH = Scheme("secret_path", _secret_path, signs_time=False, documented=False)
