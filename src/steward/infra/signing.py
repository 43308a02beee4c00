"""Keys in files: the Ed25519 key that signs checkpoints, and random keys for digests. Never in the database."""

from __future__ import annotations

import binascii
import hashlib
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from steward.infra.entropy import random_bytes
from steward.kernel.errors import Infrastructure


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 key pair: `<path>` holds the 32-byte seed (owner only), `<path>.pub` every public key ever used,
    one `id base64` a line, so that what a retired key signed can still be checked.
    """

    path: Path

    def sign(self, message: bytes) -> tuple[str, str]:
        """The key's id and the signature in base64. Makes the key pair at the first call."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.from_private_bytes(secret_file(self.path))
        public = private.public_key().public_bytes_raw()
        key_id = hashlib.sha256(public).hexdigest()[:16]
        if key_id not in self.public_keys():
            with self._public_path.open("a", encoding="ascii") as file:
                file.write(f"{key_id} {b64encode(public).decode()}\n")
                file.flush()
                os.fsync(file.fileno())
        return key_id, b64encode(private.sign(message)).decode()

    def is_signed(self, message: bytes, key_id: str, signature: str) -> bool:
        """Whether a key of the public file signed `message`."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        public = self.public_keys().get(key_id)
        if public is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(b64decode(signature, validate=True), message)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    def public_keys(self) -> dict[str, bytes]:
        """Public keys by id."""
        if not self._public_path.exists():
            return {}
        found: dict[str, bytes] = {}
        for line in self._public_path.read_text(encoding="ascii", errors="replace").splitlines():
            key_id, _, encoded = line.partition(" ")
            with suppress(binascii.Error, ValueError):
                public = b64decode(encoded, validate=True)
                if len(public) == 32 and hashlib.sha256(public).hexdigest()[:16] == key_id:
                    found[key_id] = public
        return found

    @property
    def _public_path(self) -> Path:
        return self.path.with_name(self.path.name + ".pub")


def secret_file(path: Path) -> bytes:
    """32 random bytes that live in a file only its owner may read; made at the first call, by one process only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{random_bytes(8).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, random_bytes(32))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # A link is made or exists already: whoever comes second takes the first one's key.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    secret = path.read_bytes()
    if len(secret) != 32:
        raise Infrastructure(f"holds {len(secret)} bytes instead of 32", where=str(path), fix="restore it from backup")
    return secret
