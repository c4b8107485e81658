"""A small OpenID Connect provider: a real server, whose answers can be bent to see what the service makes of them."""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.factors.authenticator import encode

CLIENT_ID, SECRET = "gatehouse", "a secret of the client's"
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "other", "use": "sig"})


@cache
def usual_key() -> RSAKey:
    """Of every provider: to draw one takes 100 ms of CPU."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


@dataclass
class Provider:
    """`claims` and `metadata` replace what it says; `key` and `algorithm` what it signs with."""

    url: str = ""
    key: Any = field(default_factory=usual_key)
    signing_key: Any = None
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    exchanges: list[dict[str, str]] = field(default_factory=list)

    def authorize(self, address: str) -> str:
        """What a browser does at the provider: sign in, and come back with a code. Returns the query of the callback."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"code={code}&state={asked['state']}&iss={self.url}"

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False, alg="RS256")]}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """A code is good once, for the client that proves who it is and holds the verifier (RFC 7636)."""
        asked = self.codes.pop(form.get("code", ""), None)
        self.exchanges.append(form)
        name, _colon, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        is_client = (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, SECRET)
        challenge = encode(sha256(form.get("code_verifier", "").encode()).digest())
        if not asked or not is_client or challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": self._id_token(asked)}

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        said = {
            "iss": self.url,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            "email": "ops@example.com",
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in said.items() if value is not None}
        if self.algorithm == "none":
            head = encode(b'{"alg":"none"}')
            return f"{head}.{encode(json.dumps(claims).encode())}."
        key = self.signing_key or self.key
        kid = {} if isinstance(key, OctKey) else {"kid": key.kid}
        return jwt.encode({"alg": self.algorithm, **kid}, claims, key, algorithms=[self.algorithm])


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            documents = {"/.well-known/openid-configuration": provider.document, "/keys": provider.keys}
            found = {**documents, "/userinfo": lambda: provider.userinfo}.get(path)
            self._answer(200 if found else 404, found() if found else {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield provider
    server.shutdown()
    server.server_close()
