"""Signatures: published ones are believed; one bit, one minute or one name off, and they are not."""

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import standardwebhooks
import stripe
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from steward.ingest.core.webhooks import RawDelivery, Unverified, Verified, certificate_url, schemes, verify
from steward.ingest.core.webhooks.signatures import hmac_scheme
from steward.kernel.errors import BadInput

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "contracts" / "webhooks" / "signatures.json").read_text(encoding="utf-8")
)
ROOT = x509.load_pem_x509_certificate(PUBLISHED["paypal"]["authority"].encode())
SCHEMES = schemes(lambda: [ROOT])
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BODY = '{"id":"evt_1","naïve":"café","amount":"12.50"}'.encode()
AT = str(int(NOW.timestamp()))


def digest(key, message):
    return hmac.new(key, message, hashlib.sha256)


def delivery(headers, body=BODY, method="POST", path="/webhooks/shop", certificate=b""):
    return RawDelivery(method, path, headers, body, certificate)


def _stripe():
    header = stripe.WebhookSignature.generate_signature_header(BODY.decode(), "whsec_a", int(AT))
    return delivery({"stripe-signature": header}), "whsec_a"


def _shopify():
    return delivery({"x-shopify-hmac-sha256": base64.b64encode(digest(b"hush", BODY).digest()).decode()}), "hush"


def _tiktok_shop():
    return delivery({"authorization": digest(b"secret", b"68xu9ks5p4i8" + BODY).hexdigest()}), "68xu9ks5p4i8:secret"


def _easypost():
    return delivery(
        {"x-hmac-signature": "hmac-sha256-hex=" + digest("se\u0301cret".encode(), BODY).hexdigest()}
    ), "s\u00e9cret"


def _easypost_v2():
    stamp = format_datetime(NOW).replace("+0000", "-0000")
    signed = f"{stamp}POST/hooks/easypost".encode() + BODY
    second = "hmac-sha256-hex=" + digest("se\u0301cret".encode(), signed).hexdigest()
    headers = {"x-timestamp": stamp, "x-path": "/hooks/easypost", "x-hmac-signature-v2": second}
    return delivery({**_easypost()[0].headers, **headers}), "s\u00e9cret"


def _zendesk():
    stamp = "2026-03-01T12:00:00Z"
    made = base64.b64encode(digest(b"zen", stamp.encode() + BODY).digest()).decode()
    return delivery({"x-zendesk-webhook-signature": made, "x-zendesk-webhook-signature-timestamp": stamp}), "zen"


def _standard(prefix="webhook"):
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = standardwebhooks.Webhook(secret).sign("msg_1", NOW, BODY.decode())
    return delivery({f"{prefix}-id": "msg_1", f"{prefix}-timestamp": AT, f"{prefix}-signature": made}), secret


def _gorgias():
    return delivery({}, path="/webhooks/gorgias/0123456789abcdef"), "0123456789abcdef"


SIGNED = {
    "stripe": _stripe,
    "shopify": _shopify,
    "tiktok_shop": _tiktok_shop,
    "easypost": _easypost,
    "easypost v2": _easypost_v2,
    "zendesk": _zendesk,
    "standard": _standard,
    "shipbob": _standard,
    "standard svix": lambda: _standard("svix"),
}
SIGNATURE = {
    "stripe": "stripe-signature",
    "shopify": "x-shopify-hmac-sha256",
    "tiktok_shop": "authorization",
    "easypost": "x-hmac-signature",
    "easypost v2": "x-hmac-signature-v2",
    "zendesk": "x-zendesk-webhook-signature",
    "standard": "webhook-signature",
    "shipbob": "webhook-signature",
    "standard svix": "svix-signature",
}
TIMED = sorted(set(SIGNED) - {"shopify", "tiktok_shop", "easypost"})


def scheme(name):
    return SCHEMES[name.split(" ")[0]]


def check(name, given, secrets, now=NOW):
    return verify(scheme(name), given, secrets, now)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - {"paypal"}))
def test_a_published_signature_is_believed(name):
    case = PUBLISHED[name]
    now = {"standard": 1614265330, "zendesk": 1616648967}.get(name, 0)
    found = check(
        name, delivery(case["headers"], case["body"].encode()), [case["secret"]], datetime.fromtimestamp(now, UTC)
    )
    assert isinstance(found, Verified), found
    assert found.secret_index == 0
    assert (found.signed_at is not None) == scheme(name).signs_time


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_what_the_provider_signs_is_believed(name):
    given, secret = SIGNED[name]()
    found = check(name, given, [secret])
    assert isinstance(found, Verified), found
    assert found.signed_at == (NOW if name in TIMED else None)


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_any_secret_may_fit_so_that_keys_can_be_rotated(name):
    given, secret = SIGNED[name]()
    assert check(name, given, ["", "another:one", secret]).secret_index == 2
    assert check(name, given, ["another:one"]).code in {"wrong_signature", "no_secret"}


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_without_a_secret_nothing_is_believed(name):
    given, _ = SIGNED[name]()
    for secrets in ([], [""], [" "]):
        assert check(name, given, secrets).code == "no_secret"


def flipped(raw):
    """The bytes with one bit the other way, for every bit."""
    for place in range(len(raw)):
        for bit in range(8):
            yield raw[:place] + bytes([raw[place] ^ 1 << bit]) + raw[place + 1 :]


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_every_flipped_bit_of_the_body_is_noticed(name):
    given, secret = SIGNED[name]()
    for body in flipped(given.body):
        assert check(name, replace(given, body=body), [secret]) == Unverified(
            "wrong_signature", "the signature fits none of the secrets"
        )


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_every_flipped_bit_of_a_header_is_noticed(name):
    given, secret = SIGNED[name]()
    signed = [key for key in given.headers if key != "x-hmac-signature" or name == "easypost"]
    for key in signed:
        for raw in flipped(given.headers[key].encode()):
            headers = {**given.headers, key: raw.decode("latin-1")}
            found = check(name, replace(given, headers=headers), [secret])
            assert isinstance(found, Unverified), (key, raw)
            assert found.code in {"wrong_signature", "malformed_header"}


@pytest.mark.parametrize("name", TIMED)
def test_what_is_old_or_from_the_future_is_refused(name):
    given, secret = SIGNED[name]()
    minutes = timedelta(minutes=5)
    assert isinstance(check(name, given, [secret], NOW + minutes), Verified)
    assert check(name, given, [secret], NOW + minutes + timedelta(seconds=1)).code == "too_old"
    assert isinstance(check(name, given, [secret], NOW - minutes), Verified)
    assert check(name, given, [secret], NOW - minutes - timedelta(seconds=1)).code == "from_the_future"


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_a_missing_header_is_named(name):
    given, secret = SIGNED[name]()
    needed = [key for key in given.headers if not (key == "x-hmac-signature" and name == "easypost v2")]
    for key in needed:
        if key in {"svix-id", "x-hmac-signature-v2"}:
            continue  # their absence means that the other form came
        rest = {other: value for other, value in given.headers.items() if other != key}
        found = check(name, replace(given, headers=rest), [secret])
        assert (found.code, key in found.reason) == ("missing_header", True), (key, found)


def test_a_time_nobody_signed_does_not_help():
    given, secret = _stripe()
    later = given.headers["stripe-signature"].replace(AT, str(int(AT) + 600))
    found = check("stripe", delivery({"stripe-signature": later}), [secret], NOW + timedelta(minutes=10))
    assert found.code == "wrong_signature"


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=ab", "t=1,t=2,v1=ab", "t=,v1=", "v0=ab,t=1", "nonsense", "t=\u0661,v1=ab", ",,,"]
)
def test_a_malformed_stripe_header_is_refused(header):
    found = check("stripe", delivery({"stripe-signature": header}), ["s"])
    assert found.code in {"malformed_header", "missing_header", "wrong_signature"}


def test_stripe_sends_several_signatures_while_a_secret_is_rotated():
    given, secret = _stripe()
    stamp, made = given.headers["stripe-signature"].split(",")
    header = f"{stamp},v1={'0' * 64},{made},v0=whatever"
    assert isinstance(check("stripe", delivery({"stripe-signature": header}), [secret]), Verified)
    old = header.replace("v1=", "v0=")
    assert check("stripe", delivery({"stripe-signature": old}), [secret]).code == "malformed_header"


def test_standard_webhooks_takes_one_of_several_and_an_unpadded_signature():
    given, secret = _standard()
    made = given.headers["webhook-signature"]
    for header in (f"v1a,whatever v1,AAAA {made}", made.rstrip("="), f"v2,{made[3:]} {made}"):
        headers = {**given.headers, "webhook-signature": header}
        assert isinstance(check("standard", replace(given, headers=headers), [secret]), Verified), header
    headers = {**given.headers, "webhook-signature": made.replace("v1,", "v2,")}
    assert check("standard", replace(given, headers=headers), [secret]).code == "malformed_header"


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_===="])
def test_a_secret_that_is_no_key_signs_nothing(secret):
    signed = f"msg_1.{AT}.".encode() + BODY
    made = "v1," + base64.b64encode(digest(b"", signed).digest()).decode()
    given = delivery({"webhook-id": "msg_1", "webhook-timestamp": AT, "webhook-signature": made})
    assert check("standard", given, [secret]).code == "no_secret"


@pytest.mark.parametrize("secret", ["key:", ":secret", "only"])
def test_a_tiktok_secret_needs_both_parts(secret):
    given = delivery({"authorization": digest(b"", b"key" + BODY).hexdigest()})
    assert check("tiktok_shop", given, [secret]).code == "no_secret"


def test_easypost_counts_the_second_signature_where_it_came():
    given, secret = _easypost_v2()
    headers = {**given.headers, "x-hmac-signature-v2": "hmac-sha256-hex=" + "0" * 64}
    assert check("easypost", replace(given, headers=headers), [secret]).code == "wrong_signature"
    assert check("easypost", replace(given, method="PUT"), [secret]).code == "wrong_signature"


def test_an_address_is_a_secret_where_no_signature_is_documented():
    given, secret = _gorgias()
    assert isinstance(check("gorgias", given, [secret]), Verified)
    assert not SCHEMES["gorgias"].documented
    for path in ("/webhooks/gorgias/", "/webhooks/gorgias", "/webhooks/gorgias/0123456789abcdeF", "/", ""):
        assert check("gorgias", replace(given, path=path), [secret]).code == "wrong_signature"


@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("stamp", [AT, "2026-03-01T12:00:00Z"])
def test_a_home_grown_scheme_is_data(encoding, stamp):
    own = hmac_scheme("x-sign", encoding, "sha256=", "x-time", "{timestamp}\n{method}\n{path}\n{body}")
    made = digest(b"secret", f"{stamp}\nPOST\n/webhooks/shop\n".encode() + BODY)
    text = made.hexdigest() if encoding == "hex" else base64.b64encode(made.digest()).decode()
    given = delivery({"x-sign": "sha256=" + text, "x-time": stamp})
    assert verify(own, given, ["secret"], NOW) == Verified(0, NOW)
    assert verify(own, replace(given, path="/other"), ["secret"], NOW).code == "wrong_signature"
    assert verify(own, given, ["secret"], NOW + timedelta(minutes=6)).code == "too_old"
    plain = hmac_scheme("x-sign", "hex", "", None)
    given = delivery({"x-sign": digest(b"secret", BODY).hexdigest()})
    assert verify(plain, given, ["secret"], NOW) == Verified(0, None)


@pytest.mark.parametrize(
    ("time_header", "template"),
    [
        (None, "{timestamp}.{body}"),
        ("x-time", "{body}"),
        (None, "{path}"),
        (None, "{body}{body}"),
        ("x-time", "{time}"),
    ],
)
def test_a_scheme_that_would_not_protect_is_refused(time_header, template):
    with pytest.raises(BadInput, match="write for example"):
        hmac_scheme("x-sign", "hex", "", time_header, template)


class TestPayPal:
    CASE = PUBLISHED["paypal"]
    THEN = datetime(2017, 3, 30, 20, 5, tzinfo=UTC)

    def given(self):
        return delivery(self.CASE["headers"], self.CASE["body"].encode(), certificate=self.CASE["certificate"].encode())

    def check(self, given, now=THEN, roots=(ROOT,), secrets=("another", CASE["webhook_id"])):
        return verify(schemes(lambda: list(roots))["paypal"], given, secrets, now)

    def test_the_published_delivery_is_believed(self):
        assert self.check(self.given()) == Verified(1, datetime(2017, 3, 30, 20, 4, 5, tzinfo=UTC))
        assert self.check(self.given(), secrets=["another"]).code == "wrong_signature"

    def test_flipped_bits_are_noticed(self):
        given = self.given()
        for place in range(0, len(given.body), 97):
            body = given.body[:place] + bytes([given.body[place] ^ 1]) + given.body[place + 1 :]
            assert self.check(replace(given, body=body)).code == "wrong_signature"
        for key in ("paypal-transmission-sig", "paypal-transmission-id", "paypal-transmission-time"):
            for raw in (
                list(flipped(given.headers[key].encode()))[::5] + list(flipped(given.headers[key].encode()))[-24:]
            ):
                headers = {**given.headers, key: raw.decode("latin-1")}
                found = self.check(replace(given, headers=headers))
                assert found.code in {"wrong_signature", "malformed_header"}, (key, raw)

    def test_its_time_is_checked_in_both_directions(self):
        assert isinstance(self.check(self.given(), self.THEN + timedelta(days=3)), Verified)
        assert self.check(self.given(), self.THEN + timedelta(days=5)).code == "too_old"
        assert self.check(self.given(), self.THEN - timedelta(minutes=7)).code == "from_the_future"

    def test_a_certificate_out_of_its_time_is_refused(self):
        assert self.check(self.given(), datetime(2019, 5, 1, tzinfo=UTC)).code == "bad_certificate"

    def test_every_header_is_needed(self):
        for key in self.CASE["headers"]:
            headers = {name: value for name, value in self.CASE["headers"].items() if name != key}
            found = self.check(replace(self.given(), headers=headers))
            assert (found.code, key in found.reason) == ("missing_header", True)

    def test_another_algorithm_is_refused(self):
        headers = {**self.CASE["headers"], "paypal-auth-algo": "SHA1withRSA"}
        assert self.check(replace(self.given(), headers=headers)).code == "malformed_header"

    @pytest.mark.parametrize(
        "address",
        [
            "http://api.paypal.com/cert",
            "https://paypal.com.evil.example/cert",
            "https://evil.example/api.paypal.com",
            "https://evil.example#api.paypal.com",
            "https://user@api.paypal.com/cert",
            "https://api.paypal.com:8443/cert",
            "https://api.paypal.com\\@evil.example/cert",
            "https://evil.example\\.paypal.com/cert",
            "https://notpaypal.com/cert",
            "https://[::1/cert",
            "https://api.paypal.com:x/cert",
            "ftp://api.paypal.com/cert",
            "//api.paypal.com/cert",
            "",
        ],
    )
    def test_a_certificate_from_elsewhere_is_not_even_asked_for(self, address):
        given = replace(self.given(), headers={**self.CASE["headers"], "paypal-cert-url": address})
        assert certificate_url(given) is None
        assert self.check(given).code in {"bad_certificate", "missing_header"}

    @pytest.mark.parametrize("host", ["api.paypal.com", "api.sandbox.paypal.com", "api-m.paypal.com"])
    def test_a_certificate_of_paypals_own_hosts_is_asked_for(self, host):
        address = f"https://{host}/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
        assert certificate_url(delivery({"paypal-cert-url": address})) == address

    def test_the_certificate_is_for_the_host_that_serves_it(self):
        headers = {**self.CASE["headers"], "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/x"}
        assert self.check(replace(self.given(), headers=headers)).code == "bad_certificate"

    def test_a_certificate_no_authority_vouches_for_is_refused(self):
        """The chain is made here, not PayPal's: good for its own root, for no other."""
        root, _, pem, key = self.chain("messageverificationcerts.paypal.com")
        given = self.signed(pem, key)
        assert isinstance(self.check(given, NOW, [root], ["WH-1"]), Verified)
        assert self.check(given, NOW, [ROOT], ["WH-1"]).code == "bad_certificate"
        assert self.check(given, NOW, [], ["WH-1"]).code == "bad_certificate"
        for certificate in (b"", b"nonsense", pem[:200]):
            found = self.check(replace(given, certificate=certificate), NOW, [root], ["WH-1"])
            assert found.code == "bad_certificate"

    def test_a_good_certificate_for_another_name_is_refused(self):
        root, _, pem, key = self.chain("shop.example.com")
        assert self.check(self.signed(pem, key), NOW, [root], ["WH-1"]).code == "bad_certificate"

    def signed(self, pem, key):
        stamp = "2026-03-01T12:00:00Z"
        message = f"id-1|{stamp}|WH-1|{zlib.crc32(BODY)}".encode()
        made = base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
        headers = {
            "paypal-transmission-id": "id-1",
            "paypal-transmission-time": stamp,
            "paypal-transmission-sig": made,
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-1",
        }
        return delivery(headers, certificate=pem)

    def chain(self, name):
        keys = [rsa.generate_private_key(65537, 2048) for _ in range(2)]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A root made for this test")])
        base = (
            x509.CertificateBuilder()
            .issuer_name(subject)
            .not_valid_before(NOW - timedelta(days=30))
            .not_valid_after(NOW + timedelta(days=60))
        )
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        own = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
        root = (
            base.subject_name(subject)
            .public_key(keys[0].public_key())
            .serial_number(1)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(own, critical=False)
            .sign(keys[0], hashes.SHA256())
        )
        leaf = (
            base.subject_name(x509.Name([]))
            .public_key(keys[1].public_key())
            .serial_number(2)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
            .sign(keys[0], hashes.SHA256())
        )
        return root, leaf, leaf.public_bytes(serialization.Encoding.PEM), keys[1]
