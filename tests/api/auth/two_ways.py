"""Calls by WSGI: by a shortcut, and by the view behind it. What each is seen to do, in a form that can be compared."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import RequestFactory

from apps.api.auth.refresh_shortcut import RefreshShortcut
from apps.api.shortcut import Shortcut
from apps.audit.models import Event
from apps.customers import lifecycle as customers
from apps.customers.models import Customer
from apps.tokens import parsing
from apps.tokens.minting import TokenPair
from demo.client import TokenKeys
from tests import factories
from tests.roundtrips import counted

PEER, REQUEST_ID = "192.0.2.7", "trace-0815"
PAGE, PROXY = "https://app.example.com", "10.0.0.1"
OVER_TLS = {"X_Forwarded_Proto": "https"}
PRODUCTION = {
    "SECURE_SSL_REDIRECT": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "SECURE_HSTS_SECONDS": 3600,
    "TRUSTED_PROXIES": [f"{PROXY}/32"],
}
# What is different each time, whoever asks: tokens (shown by what they say), ids and times.
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX = re.compile(r"\b[0-9a-f]{64}\b")
KEY = re.compile(r'"payload_key":"[\w-]{43}"')
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:Z|\+00:00)|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
NUMBERED = re.compile(r'customer-\d+|"(?:iat|nbf|exp|auth_time)": \d+|"milliseconds":[\d.]+|Max-Age=\d+')
WAIT = re.compile(r'(?<=;t=)\d+|(?<="retry_after":)\d+')  # seconds from now on
Application = Callable[..., Any]


class Scene:
    """A user with a session. Beside its customer there is the default one, and `other` where it is asked for."""

    def __init__(self, *, delivery: str = "body") -> None:
        self.customer = factories.customer()
        factories.permission(self.customer)
        self.user = factories.user(self.customer, permissions=["invoices.read"])
        self.pair = factories.session(self.user, delivery=delivery)

    @cached_property
    def other(self) -> Customer:
        """The second customer, for who comes from there."""
        return factories.customer()

    def origins(self, *origins: str) -> None:
        customers.update_policy(
            customer=self.customer, changes={"allowed_origins": list(origins)}, context=factories.context("x")
        )


@dataclass(frozen=True)
class Asking:
    """A request, to refresh unless it says otherwise. Names of headers are written with `_` for `-`."""

    body: bytes = b""
    content_type: str = "application/json"
    method: str = "POST"
    peer: str = PEER
    path: str = RefreshShortcut.path
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    keys: TokenKeys | None = None  # that open the answer

    def environ(self) -> dict[str, Any]:
        sent = {name.replace("_", "-"): value for name, value in {"X_Request_ID": REQUEST_ID, **self.headers}.items()}
        made = RequestFactory().generic(
            self.method,
            self.path,
            self.body,
            self.content_type,
            headers=sent,
            REMOTE_ADDR=self.peer,
            QUERY_STRING=self.query,
        )
        return {**made.environ, "wsgi.input": BytesIO(self.body)}


def with_token(text: object, **how: Any) -> Asking:
    return Asking(json.dumps({"refresh_token": text}).encode(), **how)


def of(pair: TokenPair, **headers: str) -> Asking:
    return with_token(pair.refresh, headers=headers)


@dataclass(frozen=True)
class Answer:
    """As a server gets it."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def error_type(self) -> str:
        return str(self.document["error"]["type"])


def ask(application: Application, asking: Asking) -> Answer:
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    chunks = application(asking.environ(), lambda status, headers, *_: begun.append((status, headers)))
    body = b"".join(chunks)
    getattr(chunks, "close", lambda: None)()
    ((status, headers),) = begun
    return Answer(status, headers, body)


def by_shortcut(kind: type[Shortcut] = RefreshShortcut) -> Application:
    return kind(WSGIHandler())


def by_view() -> Application:
    return WSGIHandler()


def alone(kind: type[Shortcut] = RefreshShortcut) -> Application:
    """The shortcut, with nothing behind it."""

    def nothing(*_request: Any) -> Any:
        raise AssertionError("the shortcut has passed the request on")

    return kind(nothing)


_known: dict[str, object] = {}


def is_connected(module: str) -> bool:
    """Whether the tests of this module have asked already by the connection to PostgreSQL that the thread has now."""
    before, _known[module] = _known.get(module), connection.connection
    return before is not None and before is connection.connection


def seen(application: Application, asking: Asking, log: Callable[[], str]) -> dict[str, Any]:
    """The whole answer, the log, the new events, and what it cost: all that anybody can tell the two ways apart by."""
    known = set(Event.objects.values_list("id", flat=True))
    log()
    with counted() as cost:
        answer = ask(application, asking)
    events = Event.objects.exclude(id__in=known).order_by("action").values()
    return {
        "status": answer.status,
        "headers": [(name, _masked_header(name, value, answer)) for name, value in answer.headers],
        "body": opened(answer, asking),
        "log": [_masked(line) for line in log().splitlines()],
        "events": [{name: _masked(str(value)) for name, value in event.items()} for event in events],
        "statements": len(cost.statements),
        "transactions": cost.transactions,
        "round trips": cost.round_trips,
    }


def _masked_header(name: str, value: str, answer: Answer) -> str:
    """Tokens are as long as the names in them: only that the length is right is the same each time."""
    if name == "Content-Length" and value == str(len(answer.body)):
        return "RIGHT"
    return "N" if name == "Retry-After" and value.isdecimal() else _masked(value)


def opened(answer: Answer, asking: Asking) -> str:
    """What is the same each time: an envelope has a new nonce, an error the time of its second."""
    if ("X-Encrypted", "true") not in answer.headers or not answer.body or asking.keys is None:
        return _masked(answer.body.decode())
    info = f"response {asking.method} {asking.path} {answer.status[:3]}"
    return _masked(json.dumps(asking.keys.open(answer.document["data"], info=info)))


def _masked(text: str) -> str:
    text = TOKEN.sub(lambda found: _said(found[0]), text)
    for what, pattern in (("KEY", KEY), ("ID", ID), ("HEX", HEX), ("TIME", TIME), ("N", NUMBERED), ("N", WAIT)):
        text = pattern.sub(what, text)
    return text


def _said(token: str) -> str:
    read = parsing.parse(token)
    return json.dumps({**read.header, **read.payload})
