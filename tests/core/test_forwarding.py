"""A proxy that speaks TLS and is not trusted would be redirected to itself without end: the log says so, once, and what to do."""

import json
import logging
import os
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps.core.forwarding import HttpsMiddleware
from tests import warm
from tests.config.installation import GOOD, SYSTEM_VARIABLES
from tests.ports import free_port

PEER = "192.0.2.7"


def asked(port: int, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/", headers={"Host": "auth.gatehouse.test", **headers})
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_server_says_once_that_the_proxy_is_not_trusted(tmp_path: Path) -> None:
    port = free_port()
    command = [
        *("-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    system = {name: os.environ[name] for name in SYSTEM_VARIABLES if name in os.environ}
    production = {**system, **GOOD, "DJANGO_SETTINGS_MODULE": "config.settings.production"}
    with (tmp_path / "log").open("wb") as log:
        server = warm.Process(
            [*command, "config.wsgi:application"], environment=production, output=log, start_new_session=True
        )
    try:
        wait_for(port, server)
        assert [asked(port, **{"X-Forwarded-Proto": "https"}) for _ in range(3)] == [301, 301, 301]
        assert asked(port) == 301
    finally:
        server.end(within=15)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if "redirect_without_end" in line]
    assert [(line["level"], line["peer"], "TRUSTED_PROXIES" in line["meaning"]) for line in lines] == [
        ("warning", "127.0.0.1", True)
    ]


def wait_for(port: int, server: warm.Process) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            asked(port)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not come up")


@pytest.fixture
def in_front(settings: Any) -> HttpsMiddleware:
    """As in production."""
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["*"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("secure" if request.is_secure() else "plain")

    return HttpsMiddleware(view)


@pytest.mark.parametrize(
    ("trusted", "said", "status", "warned"),
    [
        ([], "https", 301, "TRUSTED_PROXIES"),
        (["198.51.100.0/24"], "https", 301, "TRUSTED_PROXIES"),
        (["198.51.100.0/24"], "HTTPS, http", 301, "TRUSTED_PROXIES"),
        (["192.0.2.0/24"], "https", 200, ""),
        (["192.0.2.0/24"], "http", 301, ""),
        (["192.0.2.0/24"], "", 301, "X-Forwarded-Proto"),
        ([], "", 301, ""),
        ([], "http", 301, ""),
    ],
)
def test_the_header_counts_from_a_trusted_proxy_alone(
    settings: Any,
    in_front: HttpsMiddleware,
    caplog: pytest.LogCaptureFixture,
    trusted: list[str],
    said: str,
    status: int,
    warned: str,
) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = {"X-Forwarded-Proto": said} if said else {}
    with caplog.at_level(logging.WARNING, "gatehouse.configuration"):
        answers = [in_front(RequestFactory().get("/", REMOTE_ADDR=PEER, headers=headers)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    warnings = [record.getMessage() for record in caplog.records if record.name == "gatehouse.configuration"]
    assert [warned in text for text in warnings] == ([True] if warned else [])


def test_an_empty_header_of_a_stranger_does_not_hide_tls(settings: Any, in_front: HttpsMiddleware) -> None:
    """Django would take it for plain http, and the redirect would lead back here."""
    for said in ("", "http"):
        request = RequestFactory().get("/", secure=True, REMOTE_ADDR=PEER, headers={"X-Forwarded-Proto": said})
        assert in_front(request).status_code == 200


def test_each_of_the_two_reasons_is_said(
    settings: Any, in_front: HttpsMiddleware, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUSTED_PROXIES = ["192.0.2.0/24"]
    with caplog.at_level(logging.WARNING, "gatehouse.configuration"):
        for _ in range(2):
            in_front(RequestFactory().get("/", REMOTE_ADDR=PEER))
            in_front(RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-Proto": "https"}))
    assert len([record for record in caplog.records if record.name == "gatehouse.configuration"]) == 2
