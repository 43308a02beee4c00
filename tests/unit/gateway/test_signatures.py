"""Signatures, by the published AWS vectors and by another computation of the rest."""

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from steward.gateway.core import signatures
from steward.gateway.core.calls import ToolRequest
from steward.kernel.errors import BadInput

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def request(method, path, headers=None, body=b""):
    return ToolRequest("aws", "verb", method, f"https://example.amazonaws.com{path}", headers or {}, body)


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "signature"),
    [  # the names of the AWS Signature Version 4 test suite: get-vanilla, get-vanilla-query-order-key-case, ...
        ("GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            {},
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("POST", "/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST",
            "/",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_the_published_vectors_of_sigv4(method, path, headers, body, signature):
    signed = signatures.sigv4(request(method, path, headers, body), KEY, SECRET, "us-east-1", "service", NOW)
    assert signed.headers["Authorization"].endswith(f"Signature={signature}")
    assert SECRET not in str(signed)


def test_s3_signs_the_digest_of_what_is_sent_and_another_content_signs_otherwise():
    one, other = (
        signatures.sigv4(request("PUT", "/b/a%20b", {}, body), KEY, SECRET, "eu-central-1", "s3", NOW, "session")
        for body in (b"one", b"other")
    )
    assert one.headers["X-Amz-Content-Sha256"] == hashlib.sha256(b"one").hexdigest()
    assert "x-amz-security-token" in one.headers["Authorization"]
    assert one.headers["Authorization"] != other.headers["Authorization"]


def test_tiktok_shop_signs_path_sorted_query_and_body():
    sent = request("POST", "/order/search?page_size=1&cipher=x", {"Content-Type": "application/json"}, b'{"a":1}')
    signed = signatures.tiktok_shop(sent, "app", "s3cret", "tok", NOW)
    stamp = int(NOW.timestamp())
    text = f'/order/searchapp_keyappcipherxpage_size1timestamp{stamp}{{"a":1}}'
    wanted = hmac.new(b"s3cret", f"s3cret{text}s3cret".encode(), "sha256").hexdigest()
    assert signed.url.endswith(f"page_size=1&cipher=x&app_key=app&timestamp={stamp}&sign={wanted}")
    assert signed.headers["x-tts-access-token"] == "tok"


def test_an_hmac_covers_what_a_tool_names():
    options = {
        "algorithm": "sha512",
        "header": "X-Sign",
        "prefix": "v1=",
        "encoding": "base64",
        "signed": "{timestamp}.{method}.{path}.{body}",
        "timestamp_header": "X-Time",
    }
    signed = signatures.over_parts(request("POST", "/p", {}, b"body"), options, "k", NOW)
    text = f"{int(NOW.timestamp())}.POST./p.body"
    assert signed.headers["X-Sign"] == "v1=" + b64encode(hmac.new(b"k", text.encode(), "sha512").digest()).decode()
    assert signed.headers["X-Time"] == str(int(NOW.timestamp()))
    with pytest.raises(BadInput):
        signatures.over_parts(request("GET", "/"), {"header": "X"}, "k", NOW)
