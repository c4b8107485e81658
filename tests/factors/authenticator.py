"""A software authenticator (WebAuthn level 3), independent of the library that the service checks with."""

import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "https://auth.example.test"


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One device with one passkey. Attributes can be bent to see what the service makes of it."""

    origin: str = ORIGIN
    verifies_user: bool = True
    count: int = 0
    counts: bool = True
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    user_handle: str = ""
    public_key: bytes = b""  # instead of its own, as COSE
    statement: dict[str, Any] | None = None  # of an attestation by certificate

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create()` gives for these options."""
        public = options
        self.user_handle = public["user"]["id"]
        public_key = self.public_key or self.public_key_in_cose()
        attested = b"\0" * 16 + struct.pack(">H", len(self.credential_id)) + self.credential_id + public_key
        data = self._data(public["rp"]["id"], ATTESTED) + attested
        kind, statement = ("none", {}) if self.statement is None else ("packed", self.statement)
        attestation = cbor2.dumps({"fmt": kind, "attStmt": statement, "authData": data})
        response = {
            "clientDataJSON": self._client_data("webauthn.create", public["challenge"]),
            "attestationObject": encode(attestation),
            "transports": ["internal", "hybrid"],
        }
        return self._credential(response)

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get()` gives for these options."""
        public = options
        self.count += 1 if self.counts else 0
        data = self._data(public["rpId"], 0)
        client_data = self._client_data("webauthn.get", public["challenge"])
        signature = self.key.sign(data + sha256(decode(client_data)).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": encode(data),
            "signature": encode(signature),
            "userHandle": self.user_handle,
        }
        return self._credential(response)

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = encode(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }

    def _data(self, rp_id: str, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies_user else 0)
        return sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client_data(self, kind: str, challenge: str) -> str:
        document = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return encode(json.dumps(document).encode())

    def public_key_in_cose(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
