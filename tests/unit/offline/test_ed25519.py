"""Ed25519 against the vectors of RFC 8032 (section 7.1) and against the `cryptography` library."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.offline.ed25519 import is_signed

VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_vectors_of_the_rfc(secret, public, message, signature):
    raw = [bytes.fromhex(part) for part in (secret, public, message, signature)]
    assert Ed25519PrivateKey.from_private_bytes(raw[0]).public_key().public_bytes_raw() == raw[1]
    assert is_signed(raw[1], raw[2], raw[3])
    assert not is_signed(raw[1], raw[2] + b"x", raw[3])


def accepted_by_library(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 64 * 8 - 1), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_the_same_answers_as_the_library(secret, message, bit, part):
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    if part == 1:
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << bit % 8
        signature = bytes(changed)
    elif part == 2:
        changed = bytearray(public)
        changed[bit // 16] ^= 1 << bit % 8
        public = bytes(changed)
    elif part == 3:
        message += b"!"
    assert is_signed(public, message, signature) == accepted_by_library(public, message, signature) == (part == 0)


def test_a_second_spelling_of_a_signature_is_refused():
    _, public, message, signature = (bytes.fromhex(part) for part in VECTORS[1])
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    assert not is_signed(public, message, signature[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("public", [b"", b"\x00" * 31, b"\xff" * 32, (2**255 - 19 + 1).to_bytes(32, "little")])
def test_what_is_no_key_signs_nothing(public):
    assert not is_signed(public, b"", b"\x00" * 64)
    assert not is_signed(bytes.fromhex(VECTORS[0][1]), b"", b"\x00" * 63)
