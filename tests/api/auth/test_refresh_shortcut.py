"""The shortcut for refreshes says and does what the view does, whatever is asked: answer, headers, log, events, cost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import get_contextvars

from apps.api import cors
from apps.api.auth.refresh import LONGEST, RefreshSerializer
from apps.api.auth.refresh_shortcut import RefreshShortcut, _token_in
from apps.api.serializers import checked
from apps.audit.models import Event, Refusal
from apps.core import valkey
from apps.core.state import clock, hold_back, lease
from apps.customers import lifecycle as customers
from apps.payloads.strict_json import parse_object
from apps.tokens import emergency_rotation, sessions
from apps.tokens.models import EndReason, RefreshToken
from apps.users import lifecycle as users
from tests import factories
from tests.api.auth.two_ways import (
    OVER_TLS,
    PAGE,
    PEER,
    PRODUCTION,
    PROXY,
    Answer,
    Asking,
    Scene,
    alone,
    ask,
    by_shortcut,
    by_view,
    is_connected,
    of,
    seen,
    with_token,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR = factories.context("x")


def used(scene: Scene, *, seconds: float = 0) -> Asking:
    """The token was used so many seconds ago."""
    assert ask(by_view(), of(scene.pair)).status == "200 OK"
    past = timezone.now() - timedelta(seconds=seconds)
    RefreshToken.objects.exclude(used_at=None).update(used_at=past)
    return of(scene.pair)


def tampered(text: str, part: int) -> str:
    parts = text.split(".")
    other = "A" if parts[part][10] != "A" else "B"
    parts[part] = parts[part][:10] + other + parts[part][11:]
    return ".".join(parts)


def expired(scene: Scene) -> Asking:
    began = timezone.now() - timedelta(days=100)
    return of(factories.session(scene.user, now=began))


def ended(scene: Scene) -> Asking:
    session_id = scene.pair.session_id
    facts = {"customer_id": scene.customer.id, "user_id": scene.user.id, "session_id": session_id}
    sessions.end_one(**facts, reason=EndReason.OPERATOR, context=OPERATOR)
    return of(scene.pair)


def deactivated(scene: Scene) -> Asking:
    users.deactivate(scene.user, context=OPERATOR)
    return of(scene.pair)


def suspended(scene: Scene) -> Asking:
    customers.suspend(scene.customer, context=OPERATOR)
    return of(scene.pair)


def rotated(scene: Scene) -> Asking:
    emergency_rotation.rotate_in_emergency(scene.customer, context=OPERATOR)
    return of(scene.pair)


def off_the_list(scene: Scene) -> Asking:
    customers.replace_allowlist(customer=scene.customer, networks={"198.51.100.0/24": ""}, context=OPERATOR)
    factories.policy(scene.customer, enforce_allowlist_on_tokens=True)
    return of(scene.pair)


def at_the_limit(scene: Scene) -> Asking:
    factories.limit(scene.customer, "refreshes_per_session", 1, 60)
    return with_token(ask(by_view(), of(scene.pair)).document["refresh_token"])


def without_row(scene: Scene) -> Asking:
    RefreshToken.objects.filter(session=scene.pair.session_id).delete()
    return of(scene.pair)


def of_a_page(scene: Scene, origin: str = PAGE) -> Asking:
    scene.origins(PAGE)
    return of(scene.pair, Origin=origin)


def by_cookie(scene: Scene, **proof: str) -> Asking:
    scene.origins(PAGE)
    pair = factories.session(scene.user, delivery="cookie")
    return Asking(headers={"Cookie": f"__Secure-gatehouse_refresh={pair.refresh}", **proof})


def of_a_cookie_session(scene: Scene) -> Asking:
    return of(factories.session(scene.user, delivery="cookie"))


GOOD: dict[str, Callable[[Scene], Asking]] = {
    "a fresh token": lambda scene: of(scene.pair),
    "with a key of its customer": lambda scene: of(scene.pair, X_OTP_API_Key=factories.api_key(scene.customer)[1]),
    "in German": lambda scene: of(scene.pair, Accept_Language="de-AT,de;q=0.9"),
    "in a language that we lack": lambda scene: of(scene.pair, Accept_Language="tlh"),
    "with a charset": lambda scene: with_token(scene.pair.refresh, content_type="application/json; charset=utf-8"),
    "with more members": lambda scene: Asking(b'{"grant":[1],"refresh_token":"%s"}' % scene.pair.refresh.encode()),
    "with a query": lambda scene: with_token(scene.pair.refresh, query="refresh_token=x"),
    "used a moment ago": used,
    "with other cookies": lambda scene: of(scene.pair, Cookie="__Secure-gatehouse_refresh=x; a=b"),
}
OTHERWISE: dict[str, Callable[[Scene], Asking]] = {
    "a key of another customer": lambda scene: of(scene.pair, X_OTP_API_Key=factories.api_key(scene.other)[1]),
    "a key that we did not make": lambda scene: of(scene.pair, X_OTP_API_Key="ghk_" + "x" * 43),
    "another header": lambda scene: with_token(tampered(scene.pair.refresh, 0)),
    "another payload": lambda scene: with_token(tampered(scene.pair.refresh, 1)),
    "another signature": lambda scene: with_token(tampered(scene.pair.refresh, 2)),
    "an access token": lambda scene: with_token(scene.pair.access),
    "no token": lambda _: with_token("x"),
    "expired": expired,
    "reused": lambda scene: used(scene, seconds=11),
    "ended": ended,
    "deactivated": deactivated,
    "suspended": suspended,
    "rotated in emergency": rotated,
    "off the list": off_the_list,
    "at the limit": at_the_limit,
    "without its row": without_row,
    "from a page": of_a_page,
    "from another's page": lambda scene: of_a_page(scene, "https://evil.example"),
    "of a cookie session": of_a_cookie_session,
    "by cookie without a proof": by_cookie,
    "by cookie from another page": lambda scene: by_cookie(scene, Origin="https://evil.example"),
    "empty": lambda _: Asking(),
    "no JSON": lambda _: Asking(b"nonsense"),
    "no UTF-8": lambda _: Asking(b'{"refresh_token":"\xff"}'),
    "half a surrogate pair": lambda _: Asking(b'{"refresh_token":"\\ud800"}'),
    "a member twice": lambda _: Asking(b'{"refresh_token":"x","refresh_token":"y"}'),
    "a list": lambda _: Asking(b"[]"),
    "nothing in it": lambda _: Asking(b"{}"),
    "a number": lambda _: with_token(7),
    "null": lambda _: with_token(None),
    "an empty text": lambda _: with_token(""),
    "a NUL": lambda _: with_token("a\0"),
    "too long": lambda _: with_token("x" * (LONGEST + 1)),
    "too large": lambda _: with_token("x" * 65536),
    "an envelope": lambda _: Asking(b'{"encrypted":true,"data":"x"}'),
    "a form": lambda scene: Asking(b"refresh_token=x", content_type="application/x-www-form-urlencoded"),
    "text": lambda scene: with_token(scene.pair.refresh, content_type="text/plain"),
    "a GET": lambda _: Asking(method="GET"),
    "a preflight": lambda _: Asking(
        method="OPTIONS", headers={"Origin": PAGE, "Access_Control_Request_Method": "POST"}
    ),
}

ALSO_GOOD = {"from a page", "from another's page", "of a cookie session", "a preflight"}


def forget() -> None:
    """What counts across customers: refusals to nobody in particular, and whose pages there are."""
    valkey.client().flushdb()
    Refusal.objects.update(open_as=None)
    cors._Memory.forget()


def cold(_scene: Scene) -> None:
    """The process knows nothing of it."""


@pytest.fixture(autouse=True)
def connected() -> None:
    """Else the first of two would have the cost of the connections, too."""
    if is_connected(__name__):
        return
    first = Scene()
    asking = of(first.pair, X_OTP_API_Key=factories.api_key(first.customer)[1])
    for _ in range(2):  # the second time Valkey counts, too
        ask(by_view(), asking)


@pytest.mark.parametrize("name", [*GOOD, *OTHERWISE])
def test_both_ways_are_one(name: str, warm: Callable[[Scene], None], log: Callable[[], str]) -> None:
    ask_for = {**GOOD, **OTHERWISE}[name]
    for first in (cold, warm):
        ways = []
        for application in (by_view(), by_shortcut()):
            forget()
            scene = Scene()
            first(scene)
            ways.append(seen(application, ask_for(scene), log))
        assert ways[0] == ways[1]
        assert ways[0]["status"].startswith("200") == (name in GOOD or name in ALSO_GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_the_shortcut_alone_answers_what_is_usual(name: str) -> None:
    assert ask(alone(), GOOD[name](Scene())).status == "200 OK"


@pytest.mark.parametrize("peer", [PROXY, PEER])
@pytest.mark.parametrize("said", [{}, OVER_TLS, {"X_Forwarded_Proto": "http"}, {"X_Forwarded_Proto": "https,http"}])
def test_tls_is_demanded_and_believed_by_both(peer: str, said: dict[str, str], log: Callable[[], str]) -> None:
    """Plain http gets a redirect and no tokens; a proxy that is not trusted cannot say that there was TLS."""
    with override_settings(**PRODUCTION):
        asking = [with_token(Scene().pair.refresh, peer=peer, headers=said) for _ in range(2)]
        ways = [seen(way, one, log) for way, one in zip((by_view(), by_shortcut()), asking, strict=True)]
    for way in ways:
        way["log"] = way["log"][-1:]  # each process says once what is wrong with its proxy
    assert ways[0] == ways[1]
    goes_in = peer == PROXY and said.get("X_Forwarded_Proto", "").startswith("https")
    assert ways[0]["status"] == ("200 OK" if goes_in else "301 Moved Permanently")


@contextmanager
def table_away(name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
        yield
        cursor.execute(f"ALTER TABLE {name}_away RENAME TO {name}")


def test_a_failure_of_ours_is_answered_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    askings = [of(Scene().pair) for _ in range(2)]
    with table_away("tokens_refreshtoken"):
        answers = [ask(by_view(), askings[0])]
        caplog.clear()
        answers.append(ask(by_shortcut(), askings[1]))
    assert [(answer.status, answer.error_type) for answer in answers] == [
        ("500 Internal Server Error", "internal_error")
    ] * 2
    assert caplog.text.count("unexpected_error") == 1


def test_what_the_end_of_a_session_announces_is_held_back_here_too() -> None:
    """C3.4: when the thief's refusal is answered, no process takes the session's access tokens any more."""
    asking = used(Scene(), seconds=11)
    before, began = hold_back._committed_at.get(), clock.now()
    assert ask(by_shortcut(), asking).error_type == "refresh_token_reused"
    assert clock.now() - began >= lease.duration()
    assert hold_back._committed_at.get() == before


def test_of_many_at_once_one_rotates() -> None:
    """C3.6, by HTTP and by the shortcut: one successor for all."""
    scene = Scene()
    factories.limit(scene.customer, "refreshes_per_session", 1000, 60)
    factories.policy(scene.customer, refresh_grace=60)
    application = by_shortcut()
    answers: list[Answer] = at_once(40, lambda _: ask(application, of(scene.pair)), threads=8)
    assert {answer.status for answer in answers} == {"200 OK"}
    assert len({answer.document["refresh_token"] for answer in answers}) == 1
    assert RefreshToken.objects.filter(session=scene.pair.session_id).count() == 2


def test_an_answer_that_is_lost_can_be_had_again() -> None:
    """Killed, or cut off, between commit and answer: the token is used, and gives the same tokens within its grace."""
    scene = Scene()

    def lost(*_: object) -> Any:
        raise BrokenPipeError

    application = by_shortcut()
    with pytest.raises(BrokenPipeError):
        application(of(scene.pair).environ(), lost)
    mine = Event.objects.of(scene.customer.id).filter(action="token_refreshed")
    assert mine.count() == 1
    again, and_again = ask(application, of(scene.pair)), ask(by_view(), of(scene.pair))
    assert again.status == "200 OK"
    assert again.body == and_again.body
    assert mine.count() == 1


def test_nothing_is_carried_over_to_the_next_request_of_the_thread(log: Callable[[], str]) -> None:
    """Neither the request's id nor its end: a refused one in between changes nothing about the one after it."""
    application = by_shortcut()
    for asking in (used(Scene(), seconds=11), with_token("x"), of(Scene().pair)):
        ask(application, asking)
    log()
    assert get_contextvars() == {}


@given(text=st.text(max_size=40) | st.just("x" * LONGEST) | st.just("x" * (LONGEST + 1)) | st.integers() | st.none())
def test_the_shortcut_takes_the_texts_that_the_serializer_takes(text: object) -> None:
    body = with_token(text).body
    try:
        told = checked(RefreshSerializer, parse_object(body)).get("refresh_token")
    except Exception:  # noqa: BLE001  (both refuse)
        told = None
    assert _token_in(with_token(text).environ()) == (told or None)


@pytest.mark.parametrize("length", ["", "-1", "+3", " 3", "3.0", "²", "9" * 5000, str(10**7)])
def test_a_length_that_says_nothing_is_left_to_django(length: str) -> None:
    environ = {**with_token("x").environ(), "CONTENT_LENGTH": length}
    assert _token_in(environ) is None
    assert environ["wsgi.input"].tell() == 0


def test_other_addresses_are_not_looked_at() -> None:
    gone_on: list[dict[str, Any]] = []
    before = RefreshToken.objects.exclude(used_at=None).count()
    shortcut = RefreshShortcut(lambda environ, _: gone_on.append(environ) or [])  # type: ignore[func-returns-value]
    for path in ("/api/auth/refresh/", "/api/auth/refresh2", "/API/auth/refresh", "/api/auth/me", ""):
        shortcut({**of(Scene().pair).environ(), "PATH_INFO": path}, lambda *_: lambda _: None)
    shortcut({**of(Scene().pair).environ(), "SCRIPT_NAME": "/somewhere"}, lambda *_: lambda _: None)
    assert len(gone_on) == 6
    assert RefreshToken.objects.exclude(used_at=None).count() == before
