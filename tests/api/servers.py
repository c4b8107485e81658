"""A customer's own server: it holds an API key with scopes, and asks."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from apps.api_keys.models import Scope
from apps.customers.models import Customer
from demo.client import Answer, Client
from tests import factories
from tests.conftest import over_django

INTROSPECT, REVOKE, VERIFY_USER = "/api/auth/introspect", "/api/auth/revoke", "/api/internal/verify-user"
FORM = "application/x-www-form-urlencoded"
EVERY_SCOPE = (Scope.TOKENS_INTROSPECT, Scope.TOKENS_REVOKE, Scope.INTERNAL)


class Server:
    def __init__(self, of: Customer, scopes: Sequence[str] = EVERY_SCOPE) -> None:
        self.row, self.key = factories.api_key(of, scopes=list(scopes))
        self.client = Client(send=over_django(REMOTE_ADDR="198.51.100.9"), api_key=self.key)

    def post(self, path: str, document: Any) -> Answer:
        return self.client.call("POST", path, json.dumps(document).encode())

    def post_form(self, path: str, *pairs: tuple[str, str]) -> Answer:
        return self.send(path, urlencode(pairs).encode(), content_type=FORM)

    def send(self, path: str, body: bytes, *, content_type: str = "application/json") -> Answer:
        return self.client.call("POST", path, body, headers={"Content-Type": content_type})

    def introspect(self, token: str) -> dict[str, Any]:
        answer = self.post(INTROSPECT, {"token": token})
        assert answer.status == 200, answer
        return dict(answer.document)

    def revoke(self, token: str) -> Answer:
        return self.post(REVOKE, {"token": token})


# What no endpoint for servers may stumble over (contract 5: no input yields a 500): body, media type.
MALFORMED: list[tuple[bytes, str]] = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"[]", "application/json"),
    (b'"token"', "application/json"),
    (b"null", "application/json"),
    (b'{"token": "a", "token": "b"}', "application/json"),
    (b'{"token": NaN}', "application/json"),
    (b'{"token": "\\ud800"}', "application/json"),
    (b'{"token": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json"),
    (b'{"token": {"a": 1}}', "application/json"),
    (b'{"token": null}', "application/json"),
    (b"\xff\xfe", "application/json"),
    (b"{", "application/json; charset=rot13"),
    (b"", FORM),
    (b"token=a&token=b", FORM),
    (b"token=%ff", FORM),
    (b"\xff=\xff", FORM),
    (b"a=1&" * 30, FORM),
    (b"x=%C3%28", f"{FORM}; charset=rot13"),
    (b"tok=a", f"{FORM}; charset=nonsense"),
]
MALFORMED_NAMES = [f"{media_type} {body[:24]!r}" for body, media_type in MALFORMED]
