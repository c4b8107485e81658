"""The shortcut for "who am I" says and does what the view does, whatever is asked: answer, headers, log, events, cost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from apps.api import cors
from apps.api.auth.me_shortcut import MeShortcut, answers
from apps.audit.models import Refusal
from apps.core import valkey
from apps.customers import lifecycle as customers
from apps.tokens import emergency_rotation, payload_keys, sessions
from apps.tokens.minting import TokenPair
from apps.tokens.models import EndReason, Session
from apps.users import lifecycle as users
from apps.users.models import User
from demo.client import TokenKeys
from tests import factories
from tests.api.auth.two_ways import (
    PAGE,
    PEER,
    PRODUCTION,
    PROXY,
    Asking,
    Scene,
    alone,
    ask,
    by_shortcut,
    by_view,
    is_connected,
    opened,
    seen,
)
from tests.api.authentication.browsing import ACCESS

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR = factories.context("x")


def bearing(token: str, *, method: str = "GET", **headers: str) -> Asking:
    return asking(method=method, keys=TokenKeys(token), Authorization=f"Bearer {token}", **headers)


def asking(*, method: str = "GET", body: bytes = b"", keys: TokenKeys | None = None, **headers: str) -> Asking:
    return Asking(body, content_type="", method=method, path=MeShortcut.path, headers=headers, keys=keys)


def of(scene: Scene, **how: str) -> Asking:
    return bearing(scene.pair.access, **how)


def by_cookie(scene: Scene, **headers: str) -> Asking:
    scene.origins(PAGE)
    pair: TokenPair = factories.session(scene.user, delivery="cookie")
    return asking(keys=_of_session(pair), Cookie=f"theme=dark; {ACCESS}={pair.access}", **headers)


def _of_session(pair: TokenPair) -> TokenKeys:
    """In cookie mode the page is told the session's key (contract 3.8)."""
    session = Session.objects.get(id=pair.session_id)
    prk = payload_keys.unsealed(session.id, session.payload_key)
    return TokenKeys(prk=prk, kid=str(session.id))


def expired(scene: Scene) -> Asking:
    return bearing(factories.session(scene.user, now=timezone.now() - timedelta(days=2)).access)


def ended(scene: Scene) -> Asking:
    facts = {"customer_id": scene.customer.id, "user_id": scene.user.id, "session_id": scene.pair.session_id}
    sessions.end_one(**facts, reason=EndReason.OPERATOR, context=OPERATOR)
    return of(scene)


def deactivated(scene: Scene) -> Asking:
    users.deactivate(scene.user, context=OPERATOR)
    return of(scene)


def suspended(scene: Scene) -> Asking:
    customers.suspend(scene.customer, context=OPERATOR)
    return of(scene)


def rotated(scene: Scene) -> Asking:
    emergency_rotation.rotate_in_emergency(scene.customer, context=OPERATOR)
    return of(scene)


def off_the_list(scene: Scene) -> Asking:
    customers.replace_allowlist(customer=scene.customer, networks={"198.51.100.0/24": ""}, context=OPERATOR)
    factories.policy(scene.customer, enforce_allowlist_on_tokens=True)
    return of(scene)


def of_a_page(scene: Scene, origin: str = PAGE) -> Asking:
    scene.origins(PAGE)
    return of(scene, Origin=origin)


def tampered(scene: Scene) -> Asking:
    text = scene.pair.access
    return bearing(text[:-10] + ("A" if text[-10] != "A" else "B") + text[-9:])


GOOD: dict[str, Callable[[Scene], Asking]] = {
    "a token": of,
    "with a key of its customer": lambda scene: of(scene, X_OTP_API_Key=factories.api_key(scene.customer)[1]),
    "in German": lambda scene: of(scene, Accept_Language="de-AT,de;q=0.9"),
    "in a language that we lack": lambda scene: of(scene, Accept_Language="tlh"),
    "by cookie": by_cookie,
    "by cookie of a page of its own origin": lambda scene: by_cookie(scene, Sec_Fetch_Site="same-origin"),
    "header before cookie": lambda scene: of(scene, Cookie=f"{ACCESS}=nonsense"),
}
OTHERWISE: dict[str, Callable[[Scene], Asking]] = {
    "a key of another customer": lambda scene: of(scene, X_OTP_API_Key=factories.api_key(scene.other)[1]),
    "a key that we did not make": lambda scene: of(scene, X_OTP_API_Key="ghk_" + "x" * 43),
    "another signature": tampered,
    "a refresh token": lambda scene: bearing(scene.pair.refresh),
    "no token": lambda _: asking(),
    "another scheme": lambda scene: asking(Authorization=f"Basic {scene.pair.access}"),
    "nonsense": lambda _: asking(Authorization="Bearer x.y.z"),
    "an API key as a token": lambda scene: asking(Authorization=f"Bearer {factories.api_key(scene.customer)[1]}"),
    "a cookie that is no token": lambda _: asking(Cookie=f"{ACCESS}=nonsense"),
    "expired": expired,
    "ended": ended,
    "deactivated": deactivated,
    "suspended": suspended,
    "rotated in emergency": rotated,
    "off the list": off_the_list,
    "a POST": lambda scene: of(scene, method="POST"),
}
ALSO_GOOD: dict[str, Callable[[Scene], Asking]] = {
    "from a page": of_a_page,
    "of another's page": lambda scene: of_a_page(scene, "https://evil.example"),
    "with a body": lambda scene: asking(
        body=b"{}", keys=TokenKeys(scene.pair.access), Authorization=f"Bearer {scene.pair.access}"
    ),
    "only the headers": lambda scene: of(scene, method="HEAD"),
    "a preflight": lambda _: asking(method="OPTIONS", Origin=PAGE, Access_Control_Request_Method="GET"),
}


@pytest.fixture(autouse=True)
def connected() -> None:
    """Else the first of two would have the cost of the connections, too."""
    if is_connected(__name__):
        return
    scene = Scene()
    for _ in range(2):
        ask(by_view(), of(scene, X_OTP_API_Key=factories.api_key(scene.customer)[1]))


@pytest.mark.parametrize("name", [*GOOD, *OTHERWISE, *ALSO_GOOD])
@pytest.mark.parametrize("is_warm", [True, False])
def test_both_ways_are_one(name: str, is_warm: bool, warm: Callable[[Scene], None], log: Callable[[], str]) -> None:
    ways = []
    for application in (by_view(), by_shortcut(MeShortcut)):
        valkey.client().flushdb()
        cors._Memory.forget()
        Refusal.objects.update(open_as=None)
        scene = Scene()
        if is_warm:
            warm(scene)
        ways.append(seen(application, {**GOOD, **OTHERWISE, **ALSO_GOOD}[name](scene), log))
    assert ways[0] == ways[1]
    assert ways[0]["status"].startswith("20") == (name not in OTHERWISE)


@pytest.mark.parametrize("name", GOOD)
def test_the_shortcut_alone_answers_what_is_usual(name: str) -> None:
    assert ask(alone(MeShortcut), GOOD[name](Scene())).status == "200 OK"


@pytest.mark.parametrize("peer", [PROXY, PEER])
@pytest.mark.parametrize("said", ["https", "http", "https,http"])
def test_tls_is_demanded_and_believed_by_both(peer: str, said: str) -> None:
    with override_settings(**PRODUCTION):
        scene = Scene()
        one = of(scene, X_Forwarded_Proto=said)
        sent = replace(one, peer=peer)
        statuses = {ask(way, sent).status for way in (by_view(), by_shortcut(MeShortcut))}
    assert statuses == {"200 OK" if peer == PROXY and said.startswith("https") else "301 Moved Permanently"}


def test_a_failure_of_ours_has_the_views_form_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A number that no key opens, as after a backup without its keys."""
    scene = Scene()
    User.objects.update(phone="sealed by nobody")
    answers = []
    for way in (by_view(), by_shortcut(MeShortcut)):
        caplog.clear()
        asking = of(scene)
        answers.append((ask(way, asking).status, opened(ask(way, asking), asking)))
        assert caplog.text.count("unexpected_error") == 2
    assert answers[0] == answers[1]
    assert answers[0][0].startswith("500")


def test_a_refused_token_is_checked_once() -> None:
    """Or a refusal would be counted twice in its event."""
    scene = Scene()
    ask(by_shortcut(MeShortcut), deactivated(scene))
    refusal = Refusal.objects.get(customer_id=scene.customer.id)
    assert refusal.count == 1


def renamed(scene: Scene) -> Asking:
    users.change_profile(scene.user, changes={"name": "Augusta"}, context=OPERATOR)
    return of(scene)


def given_a_right(scene: Scene) -> Asking:
    factories.permission(scene.customer, "invoices.pay")
    users.change(scene.user, changes={"permissions": ["invoices.read", "invoices.pay"]}, context=OPERATOR)
    return of(scene)


def from_elsewhere(scene: Scene) -> Asking:
    return replace(of(scene), peer="203.0.113.9")


CHANGES = [ended, deactivated, suspended, rotated, off_the_list, renamed, given_a_right, from_elsewhere]


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_told_counts_until_anything_changes(change: Callable[[Scene], Asking]) -> None:
    """An answer is remembered, and given again without any check; but not after this."""
    answers._answers.clear()
    scene, shortcut = Scene(), by_shortcut(MeShortcut)
    asking = of(scene)
    told = [opened(ask(shortcut, asking), asking) for _ in range(3)]
    assert told == [told[0]] * 3
    assert len(answers) == 1
    asking = change(scene)
    assert opened(ask(shortcut, asking), asking) == opened(ask(by_view(), asking), asking)


@pytest.mark.parametrize("name", sorted(OTHERWISE))
def test_no_refusal_is_remembered(name: str) -> None:
    answers._answers.clear()
    ask(by_shortcut(MeShortcut), OTHERWISE[name](Scene()))
    assert not len(answers)


def test_few_answers_are_remembered_and_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    answers._answers.clear()
    monkeypatch.setattr(answers, "_most", 3)
    scene = Scene()
    for _ in range(7):
        asking = bearing(factories.session(scene.user).access)
        ask(by_shortcut(MeShortcut), asking)
        assert len(answers) <= 3
        assert asking.headers["Authorization"][7:] not in repr(answers._answers)


def test_other_addresses_are_not_looked_at() -> None:
    gone_on: list[dict[str, Any]] = []
    shortcut = MeShortcut(lambda environ, _: gone_on.append(environ) or [])  # type: ignore[func-returns-value]
    environ = of(Scene()).environ()
    for path in ("/api/auth/me/", "/api/auth/me2", "/API/auth/me", "/api/auth/me/export", ""):
        shortcut({**environ, "PATH_INFO": path}, lambda *_: lambda _: None)
    shortcut({**environ, "SCRIPT_NAME": "/somewhere"}, lambda *_: lambda _: None)
    assert len(gone_on) == 6
