"""Asking as a proxy does: by the shortcut, and by the view behind it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from apps.api.forward_auth.shortcut import ForwardAuthShortcut

PROXY = "192.0.2.7"
USER, CUSTOMER, ROLE, PERMISSIONS = (f"X-Gatehouse-{name}" for name in ("User", "Customer", "Role", "Permissions"))
TOLD = (USER, CUSTOMER, ROLE, PERMISSIONS)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        document = json.loads(self.body)["error"]
        assert document["code"] == self.status
        assert {"message", "timestamp", "request_id"} <= document.keys()
        assert not set(TOLD) & set(self.headers)
        return self.status, document["type"]

    @property
    def told(self) -> dict[str, str]:
        """What the app behind the proxy is told."""
        assert self.status in (200, 204), self.body
        assert self.body == b""
        return {name: self.headers[name] for name in TOLD}


class Proxy:
    """`address`: where it asks from. `application`: what it asks."""

    def __init__(self, application: Callable[..., Any], *, address: str = PROXY) -> None:
        self.application = application
        self.address = address

    def ask(self, target: str = "/verify", *, method: str = "GET", token: str | None = None, **headers: str) -> Answer:
        """Names of headers are written with `_` for `-`."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        sent = {**bearer, **{name.replace("_", "-"): value for name, value in headers.items()}}
        path, _, query = target.partition("?")
        request = RequestFactory().generic(method, path, headers=sent, QUERY_STRING=query, REMOTE_ADDR=self.address)
        return call(self.application, {**request.environ, "wsgi.input": BytesIO()})


def call(application: Callable[..., Any], environ: dict[str, Any]) -> Answer:
    """The answer of a WSGI application."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    chunks = application(environ, lambda status, headers, *_: begun.append((status, headers)))
    body = b"".join(chunks)
    getattr(chunks, "close", lambda: None)()
    ((status, headers),) = begun
    assert len({name.lower() for name, _ in headers}) == len(headers), "no header twice"
    return Answer(int(status.split(" ", maxsplit=1)[0]), dict(headers), body)


def by_shortcut() -> Proxy:
    """Where the view must not be needed, `Proxy(ForwardAuthShortcut(nothing_behind))`."""
    return Proxy(ForwardAuthShortcut(WSGIHandler()))


def by_view() -> Proxy:
    return Proxy(WSGIHandler())


def nothing_behind(*_request: Any) -> Any:
    raise AssertionError("the shortcut has passed the request on")
