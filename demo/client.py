"""A client of Gatehouse's API, independent of the service's code: written against the contract with joserfc alone.

The demo and the tests use it; it is also an example for those who write their own.
"""

import hmac
import http.client
import json
import re
import secrets
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from demo import file_stream

SALT = b"gatehouse/v1"
STREAM = {"Content-Type": "application/octet-stream", "Content-Encoding": "aes128gcm"}
ALGORITHMS = ["dir", "ECDH-ES", "A256GCM"]
ENCODED_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


@dataclass(frozen=True)
class Wire:
    """An answer as it came: status, headers (names in lower case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes], Wire]


@dataclass(frozen=True)
class Answer:
    """An answer, decrypted, and the request that it answers."""

    call: str
    status: int
    headers: Mapping[str, str]
    document: Any
    encrypted: bool
    wire: bytes = field(repr=False)
    sent_document: Any = field(default=None, repr=False)
    sent_wire: bytes | None = field(default=None, repr=False)

    @property
    def error_type(self) -> str | None:
        """The `type` of an error answer, None for a success."""
        error = self.document.get("error") if isinstance(self.document, dict) else None
        return error if isinstance(error, str) else error["type"] if error else None  # a text: OAuth's form


def over_http(base_url: str, *, timeout: float = 15) -> Send:
    """Send over the network, one connection a call."""
    place = urlsplit(base_url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Wire:
        connection = kind(place.hostname or "", place.port, timeout=timeout)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Wire(response.status, names, response.read())
        finally:
            connection.close()

    return send


class TokenKeys:
    """The keys of one access token's messages (contract 2.2)."""

    def __init__(self, token: str | None = None, *, prk: bytes | None = None, kid: str | None = None) -> None:
        self.prk = prk or hmac.digest(SALT, (token or "").encode(), "sha256")
        self.kid = kid or str(_claims(token or "")["jti"])

    def key(self, info: str) -> OctKey:
        """HKDF-Expand to 32 bytes: one round of HMAC (RFC 5869 section 2.3)."""
        return OctKey.import_key(hmac.digest(self.prk, info.encode() + b"\x01", "sha256"))

    def file_material(self, method: str, path: str) -> bytes:
        """What encrypts the stream of one upload or download (contract 2.3)."""
        return hmac.digest(self.prk, f"file {method} {_target(path)}".encode() + b"\x01", "sha256")

    def seal(self, document: Any, *, info: str) -> str:
        header = {"alg": "dir", "enc": "A256GCM", "kid": self.kid}
        return jwe.encrypt_compact(header, json.dumps(document).encode(), self.key(info), algorithms=ALGORITHMS)

    def open(self, text: str, *, info: str) -> Any:
        opened = jwe.decrypt_compact(text, self.key(info), algorithms=ALGORITHMS)
        return json.loads(opened.plaintext or b"")


class Client:
    """Calls the API for a customer. Before sign-in it encrypts with `service_key` or, as a browser would, with `public_jwk`."""

    def __init__(
        self,
        *,
        send: Send,
        api_key: str | None = None,
        service_key: str | None = None,
        public_jwk: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._send = send
        self._service_key = service_key
        self._public_jwk = public_jwk
        self.headers = {**({"X-OTP-API-Key": api_key} if api_key else {}), **(headers or {})}

    # --- Before sign-in -----------------------------------------------------------------------------------------

    def request_otp(self, email: str, **fields: Any) -> Answer:
        return self.before_sign_in("/api/auth/request-otp", {"email": email, **fields})

    def verify_otp(self, email: str, otp: str, **fields: Any) -> Answer:
        return self.before_sign_in("/api/auth/verify-otp", {"email": email, "otp": otp, **fields})

    def before_sign_in(self, path: str, document: Mapping[str, Any]) -> Answer:
        """POST a document encrypted to the service; the answer is plain."""
        body = envelope(self.seal_to_service(self.stamped(document, path)))
        return self.call("POST", path, body, sent_document=dict(document))

    def stamped(self, document: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The document with what makes it fresh, good for one use, and bound to this path."""
        return {**document, "iat": int(time.time()), "jti": secrets.token_hex(16), "htu": path}

    def seal_to_service(self, document: Mapping[str, Any]) -> str:
        if self._public_jwk is not None:
            key: OctKey | ECKey = ECKey.import_key(dict(self._public_jwk))
            header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": self._public_jwk["kid"]}
        else:
            key = OctKey.import_key(_service_key_bytes(self._service_key or ""))
            header = {"alg": "dir", "enc": "A256GCM", "kid": key.thumbprint()}
        return jwe.encrypt_compact(header, json.dumps(document).encode(), key, algorithms=ALGORITHMS)

    # --- After sign-in ------------------------------------------------------------------------------------------

    def get(self, path: str, *, token: str) -> Answer:
        return self.with_token("GET", path, token=token)

    def post(self, path: str, document: Any, *, token: str) -> Answer:
        return self.with_token("POST", path, document, token=token)

    def patch(self, path: str, document: Any, *, token: str) -> Answer:
        return self.with_token("PATCH", path, document, token=token)

    def delete(self, path: str, *, token: str) -> Answer:
        return self.with_token("DELETE", path, token=token)

    def with_token(self, method: str, path: str, document: Any = None, *, token: str) -> Answer:
        """A call under an access token: its body and its answer are encrypted under the token's own keys."""
        keys = TokenKeys(token)
        target = _target(path)
        body = b"" if document is None else envelope(keys.seal(document, info=f"request {method} {target}"))
        headers = {"Authorization": f"Bearer {token}"}
        return self.call(method, path, body, headers=headers, keys=keys, sent_document=document)

    def put_file(self, file_id: str, content: bytes, *, token: str) -> Answer:
        """Send the content of a file that was announced (POST /api/files)."""
        path, keys = f"/api/files/{file_id}/content", TokenKeys(token)
        material = keys.file_material("PUT", path)
        body = b"".join(file_stream.encrypted([content], material=material, key_id=keys.kid))
        return self.call("PUT", path, body, headers={**STREAM, "Authorization": f"Bearer {token}"}, keys=keys)

    def get_file(self, file_id: str, *, token: str) -> tuple[Answer, bytes]:
        """The answer, and the content if it is one. Raises ValueError or InvalidTag if the stream is not whole."""
        path, keys = f"/api/files/{file_id}/content", TokenKeys(token)
        answer = self.with_token("GET", path, token=token)
        if answer.headers.get("content-encoding") != "aes128gcm":
            return answer, b""
        material = keys.file_material("GET", path)
        return answer, b"".join(file_stream.decrypted([answer.wire], material=material, key_id=keys.kid))

    def refresh(self, refresh_token: str) -> Answer:
        document = {"refresh_token": refresh_token}
        return self.call("POST", "/api/auth/refresh", json.dumps(document).encode(), sent_document=document)

    # --- The wire -----------------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        keys: TokenKeys | None = None,
        sent_document: Any = None,
    ) -> Answer:
        """Send these bytes and read the answer, decrypting it if it says that it is encrypted."""
        content = {"Content-Type": "application/json"} if body else {}
        answer = self._send(method, path, {**self.headers, **content, **(headers or {})}, body)
        encrypted = answer.headers.get("x-encrypted") == "true"
        return Answer(
            call=f"{method} {path}",
            status=answer.status,
            headers=answer.headers,
            document=self._document(answer, method, path, keys if encrypted else None),
            encrypted=encrypted,
            wire=answer.body,
            sent_document=sent_document,
            sent_wire=body if b'"encrypted"' in body else None,
        )

    @staticmethod
    def _document(answer: Wire, method: str, path: str, keys: TokenKeys | None) -> Any:
        if not answer.body or "json" not in answer.headers.get("content-type", ""):
            return None
        document = json.loads(answer.body)
        if keys is None:
            return document
        info = f"response {method} {_target(path)} {answer.status}"
        return keys.open(document["data"], info=info)


def _target(path: str) -> str:
    """The path as both ends count it: without query, percent-encoded unreserved characters decoded (contract 2.2.2)."""
    return ENCODED_UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path.partition("?")[0])


def envelope(text: str) -> bytes:
    """The body that carries a JWE."""
    return json.dumps({"encrypted": True, "data": text}).encode()


def _service_key_bytes(text: str) -> bytes:
    return bytes.fromhex(text) if len(text) == 2 * sha256().digest_size else _decode(text)


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(_decode(token.split(".")[1]))
    return claims


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
