"""What flows learn of a request."""

import re
import time
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core.context import RequestContext
from apps.core.middleware import RequestLogMiddleware
from apps.core.requests import (
    address_of,
    context_of,
    path_as_sent,
    request_id_of,
    unreserved_decoded,
)


def get(path: str = "/api/auth/me", **meta: str) -> HttpRequest:
    return RequestFactory().get(path, **meta)


def test_a_context_is_address_user_agent_request_id_and_time_of_nobody_yet() -> None:
    request, before = get(REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="Firefox", HTTP_X_REQUEST_ID="trace-0815"), now()
    context = context_of(request)
    assert before <= context.now <= now()
    assert context == RequestContext(
        now=context.now, actor="anonymous", ip="192.0.2.7", user_agent="Firefox", request_id="trace-0815"
    )


def test_forwarded_for_counts_only_behind_the_proxies_of_the_settings(settings: Settings) -> None:
    """C1.6."""
    sent = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.66, 198.51.100.1"}
    assert address_of(get(**sent)) == "10.0.0.1"
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert address_of(get(**sent)) == "198.51.100.1"


def test_what_is_remembered_of_one_peer_counts_for_no_other(settings: Settings) -> None:
    """C1.6: the same header, sent by a proxy, then by a client that would like to be one, and again."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    for _ in range(2):
        for peer, expected in (("10.0.0.1", "198.51.100.1"), ("203.0.113.9", "203.0.113.9"), ("", None)):
            assert address_of(get(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR="198.51.100.1")) == expected
    settings.TRUSTED_PROXIES = []
    assert address_of(get(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.1")) == "10.0.0.1"


def test_long_headers_are_read_and_not_remembered(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    long = "192.0.2.66, " * 700 + "198.51.100.1"
    assert address_of(get(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=long)) == "198.51.100.1"


def test_an_address_is_found_out_once_for_each_request() -> None:
    request = get(REMOTE_ADDR="192.0.2.7")
    assert address_of(request) == "192.0.2.7"
    request.META["REMOTE_ADDR"] = "192.0.2.8"
    assert context_of(request).ip == "192.0.2.7"
    assert address_of(get(REMOTE_ADDR="192.0.2.8")) == "192.0.2.8"


def test_without_a_peer_there_is_no_address() -> None:
    """A server on a unix socket names none."""
    assert context_of(get(REMOTE_ADDR="")).ip is None


def test_proxies_that_are_no_networks_are_refused_at_start_up(settings: Settings) -> None:
    """Refused at the start, instead of failing every request."""
    settings.TRUSTED_PROXIES = ["10.0.0.1/8"]
    with pytest.raises(ImproperlyConfigured, match=r"TRUSTED_PROXIES.*10\.0\.0\.1/8"):
        RequestLogMiddleware(lambda _request: None)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    "harmful", ["", "short", "x" * 65, "with space in it", 'quo"te-quote', "line\nbreak1", "trailing1\n"]
)
def test_a_request_id_that_could_harm_a_log_is_replaced(harmful: str) -> None:
    made = request_id_of(get(HTTP_X_REQUEST_ID=harmful))
    assert made != harmful
    assert len(made) == 32


def test_a_request_keeps_its_id() -> None:
    request = get()
    assert request_id_of(request) == request_id_of(request)
    assert request_id_of(request) != request_id_of(get())


def test_fresh_ids_are_in_the_order_of_their_time() -> None:
    """So the index that finds events by them grows at its end: of random names each would change a page of its own."""
    made = []
    for _ in range(5):
        made.append(request_id_of(get()))
        time.sleep(0.002)
    assert made == sorted(made)
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)


def test_a_user_agent_fits_the_database() -> None:
    assert context_of(get(HTTP_USER_AGENT="a\0b" + "x" * 1000)).user_agent == "ab" + "x" * 509, "what is left of 512"


@pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
def test_the_path_as_sent_is_the_servers_word(variable: str) -> None:
    """C2.2.2: keys are bound to the path as the client sent it."""
    assert path_as_sent(get("/api/a b", **{variable: "/api/a%20b?x=1"})) == "/api/a%20b"


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/api/%61%7a%41%5A%30%39", "/api/azAZ09"),
        ("/%2d%2E%5f%7E", "/-._~"),
        ("/a%2Fb%20c%25d%3f%2b%40", "/a%2Fb%20c%25d%3f%2b%40"),
        ("/%2541", "/%2541"),  # decoded once, not again
        ("/%c3%a9%7f%60%7b%2f", "/%c3%a9%7f%60%7b%2f"),
        ("/%", "/%"),
        ("/%4", "/%4"),
        ("/%zz", "/%zz"),
    ],
)
def test_unreserved_characters_are_decoded_and_no_others(path: str, normal: str) -> None:
    """C2.2.2."""
    assert unreserved_decoded(path) == normal
    assert path_as_sent(get("/x", RAW_URI=f"{path}?a=%41")) == normal


@given(st.binary(max_size=20))
def test_encoding_what_is_unreserved_makes_no_difference(raw: bytes) -> None:
    """RFC 3986 section 6.2.2.2: compared with Python's own idea of what is unreserved."""
    everything = "".join(f"%{byte:02X}" for byte in raw)
    assert unreserved_decoded(everything) == quote(raw, safe="")


def test_the_path_as_sent_is_quoted_again_where_the_server_says_nothing() -> None:
    assert path_as_sent(get("/api/a%20b?x=1")) == "/api/a%20b"
    assert path_as_sent(get("/api/me", RAW_URI="http://elsewhere.example/api/you")) == "/api/me"
