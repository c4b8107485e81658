"""The shortcuts for both calls of a sign-in by code say and do what the views do: answer, headers, log, events, mails, cost."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from apps.api import cors
from apps.api.auth.one_time_code_shortcuts import RequestOtpShortcut, VerifyOtpShortcut
from apps.api.before_sign_in_shortcut import BeforeSignInShortcut
from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import Environment
from apps.audit import refusal_budget
from apps.audit.models import Refusal
from apps.core import valkey
from apps.customers import lifecycle as customers
from apps.mail.models import Message
from apps.otp import fixed_codes, wait_and_budget
from apps.tokens.models import Session
from apps.users import lifecycle as users
from demo.client import Client, envelope
from tests import factories
from tests.api.auth.two_ways import (
    OVER_TLS,
    PAGE,
    PRODUCTION,
    PROXY,
    Answer,
    Asking,
    alone,
    ask,
    by_shortcut,
    by_view,
    is_connected,
    seen,
)
from tests.otp.reading import newest_code
from tests.races import at_once
from tests.signin.entering import EMAIL, enrol_app, member

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR = factories.context("x")
REQUEST, VERIFY = RequestOtpShortcut.path, VerifyOtpShortcut.path
SHORTCUTS: dict[str, type[BeforeSignInShortcut]] = {REQUEST: RequestOtpShortcut, VERIFY: VerifyOtpShortcut}


class Scene:
    """A customer with a key, and one of its users. What is different each time has a name that it is known by."""

    def __init__(self, **policy: Any) -> None:
        self.customer = factories.customer(**policy)
        self.user = member(self.customer)
        self.row, self.key = factories.api_key(self.customer)

    def masked(self, found: Mapping[str, Any]) -> Any:
        """Without the name of the key. Headers may come in any order."""
        ordered = {**found, "headers": sorted(found["headers"])}
        return json.loads(json.dumps(ordered, default=str).replace(self.row.key_id, "KEY"))


def sealed(document: Mapping[str, Any], path: str, *, jwk: Mapping[str, Any] | None = None, **stamp: Any) -> bytes:
    client = Client(send=_nobody, service_key=settings.SERVICE_ENCRYPTION_KEY, public_jwk=jwk)
    return envelope(client.seal_to_service({**client.stamped(document, path), **stamp}))


def _nobody(*_: Any) -> Any:
    raise AssertionError("nothing is sent")


def asking(scene: Scene, body: bytes, path: str = REQUEST, **headers: str) -> Asking:
    return Asking(body, path=path, headers={"X_OTP_API_Key": scene.key, **headers})


def code(scene: Scene, email: object = EMAIL, *, headers: Mapping[str, str] | None = None, **fields: Any) -> Asking:
    """A request for a code."""
    return asking(scene, sealed({"email": email, **fields}, REQUEST), **(headers or {}))


def entry(
    scene: Scene, email: object = EMAIL, *, otp: Any = None, headers: Mapping[str, str] | None = None, **fields: Any
) -> Asking:
    """A sign-in with the code that was just sent, or another."""
    assert ask(by_view(), code(scene, email)).status == "200 OK"
    document = {"email": email, "otp": newest_code() if otp is None else otp, **fields}
    return asking(scene, sealed(document, VERIFY), VERIFY, **(headers or {}))


def returning(scene: Scene, **how: Any) -> Asking:
    """Of somebody who has signed in from here before."""
    assert ask(by_view(), entry(scene)).status == "200 OK"
    _a_moment_later(scene)
    return entry(scene, **how)


def _a_moment_later(scene: Scene) -> None:
    """The next code may be asked for."""
    factories.policy(scene.customer, code_resend_after=0)


def sandboxed(scene: Scene) -> Asking:
    scene.row, scene.key = factories.api_key(scene.customer, environment=Environment.TEST)
    return code(scene)


def without_key(scene: Scene, body: bytes, path: str = REQUEST) -> Asking:
    return replace(asking(scene, body, path), headers={})


def keyless(scene: Scene) -> Asking:
    """Of the default customer, which the process knows."""
    first, second = (sealed({"email": f"{name}@example.com"}, REQUEST) for name in ("grace", "joan"))
    assert ask(by_view(), without_key(scene, first)).status == "200 OK"
    return without_key(scene, second)


def fixed(scene: Scene) -> Asking:
    until = timezone.now() + timedelta(days=1)
    fixed_codes.add(customer=scene.customer, email=EMAIL, code="424242", valid_until=until, context=OPERATOR)
    return code(scene)


def revoked(scene: Scene) -> Asking:
    api_keys.revoke(scene.row, context=OPERATOR)
    return code(scene)


def of_other_scope(scene: Scene) -> Asking:
    scene.row, scene.key = factories.api_key(scene.customer, scopes=["users:read"])
    return code(scene)


def suspended(scene: Scene) -> Asking:
    customers.suspend(scene.customer, context=OPERATOR)
    return code(scene)


def off_the_list(scene: Scene) -> Asking:
    customers.replace_allowlist(customer=scene.customer, networks={"198.51.100.0/24": ""}, context=OPERATOR)
    return code(scene)


def of_a_page(scene: Scene, origin: str = PAGE) -> Asking:
    customers.update_policy(customer=scene.customer, changes={"allowed_origins": [PAGE]}, context=OPERATOR)
    return code(scene, headers={"Origin": origin})


def again(scene: Scene) -> Asking:
    """The same envelope twice."""
    first = code(scene)
    assert ask(by_view(), first).status == "200 OK"
    return first


def too_soon(scene: Scene) -> Asking:
    assert ask(by_view(), code(scene)).status == "200 OK"
    return code(scene)


def at_the_limit(scene: Scene) -> Asking:
    factories.limit(scene.customer, "codes_per_ip", 1)
    assert ask(by_view(), code(scene, "grace@example.com")).status == "200 OK"
    return code(scene)


def over_quota(scene: Scene) -> Asking:
    factories.policy(scene.customer, daily_code_quota=1)
    assert ask(by_view(), code(scene, "grace@example.com")).status == "200 OK"
    return code(scene)


def challenged(scene: Scene) -> Asking:
    enrol_app(scene.user)
    return entry(scene)


def demanded_to_enrol(scene: Scene) -> Asking:
    factories.policy(scene.customer, second_factor="optional")
    return entry(scene)


def deactivated(scene: Scene) -> Asking:
    asked = entry(scene)
    users.deactivate(scene.user, context=OPERATOR)
    return asked


def used(scene: Scene) -> Asking:
    asked = entry(scene)
    otp = newest_code()
    assert ask(by_view(), asked).status == "200 OK"
    return asking(scene, sealed({"email": EMAIL, "otp": otp}, VERIFY), VERIFY)


def guessed_enough(scene: Scene) -> Asking:
    factories.limit(scene.customer, "tries_per_ip", 1)
    wrong = entry(scene, otp="000000")
    ask(by_view(), wrong)
    return asking(scene, sealed({"email": EMAIL, "otp": "000000"}, VERIFY), VERIFY)


def with_cookies(scene: Scene, origin: str = PAGE) -> Asking:
    customers.update_policy(customer=scene.customer, changes={"allowed_origins": [PAGE]}, context=OPERATOR)
    return entry(scene, delivery="cookie", headers={"Origin": origin})


Case = Callable[[Scene], Asking]
GOOD: dict[str, Case] = {
    "a known address": code,
    "an unknown address": lambda scene: code(scene, "grace@example.com"),
    "in German": lambda scene: code(scene, headers={"Accept_Language": "de-AT,de;q=0.9"}),
    "in a language that we lack": lambda scene: code(scene, headers={"Accept_Language": "tlh"}),
    "with a language for the mail": lambda scene: code(scene, locale="de"),
    "for another purpose": lambda scene: code(scene, purpose="verify_email"),
    "by the key as a bearer": lambda scene: replace(code(scene), headers={"Authorization": f"Bearer {scene.key}"}),
    "without a key": keyless,
    "of a test key": sandboxed,
    "a fixed code": fixed,
    "with a query": lambda scene: replace(code(scene), query="email=x"),
    "with a charset": lambda scene: replace(code(scene), content_type="application/json; charset=utf-8"),
    "a first sign-in": lambda scene: entry(scene, "grace@example.com"),
    "a sign-in of a known user": entry,
    "a returning user": returning,
    "a returning user in German": lambda scene: returning(scene, headers={"Accept_Language": "de"}),
    "a second factor is asked for": challenged,
    "a second factor is offered": demanded_to_enrol,
}
OTHERWISE: dict[str, Case] = {
    "a key that we did not make": lambda scene: replace(code(scene), headers={"X_OTP_API_Key": "ghk_" + "x" * 43}),
    "two keys": lambda scene: code(
        scene, headers={"Authorization": f"Bearer {factories.api_key(factories.customer())[1]}"}
    ),
    "a key in a wrong scheme": lambda scene: replace(code(scene), headers={"Authorization": f"Token {scene.key}"}),
    "a revoked key": revoked,
    "a key of another scope": of_other_scope,
    "suspended": suspended,
    "off the list": off_the_list,
    "from a page": of_a_page,
    "from another's page": lambda scene: of_a_page(scene, "https://evil.example"),
    "empty": lambda scene: asking(scene, b""),
    "no JSON": lambda scene: asking(scene, b"nonsense"),
    "a list": lambda scene: asking(scene, b"[]"),
    "plain": lambda scene: asking(scene, b'{"email":"ada@example.com"}'),
    "no envelope": lambda scene: asking(scene, b'{"encrypted":true,"data":"x.y.z"}'),
    "not said to be encrypted": lambda scene: asking(scene, code(scene).body.replace(b"true", b"false")),
    "another nonce": lambda scene: asking(scene, code(scene).body.replace(b"..", b"..A")),
    "the same twice": again,
    "stale": lambda scene: asking(scene, sealed({"email": EMAIL}, REQUEST, iat=1)),
    "of another path": lambda scene: asking(scene, sealed({"email": EMAIL}, VERIFY)),
    "no address": lambda scene: code(scene, "nobody"),
    "a number": lambda scene: code(scene, 7),
    "a number, in German": lambda scene: code(scene, 7, headers={"Accept_Language": "de"}),
    "an unknown purpose": lambda scene: code(scene, purpose="tea"),
    "too soon": too_soon,
    "at the limit": at_the_limit,
    "over the quota": over_quota,
    "too large": lambda scene: asking(scene, b'{"encrypted":true,"data":"%s"}' % (b"x" * 65536)),
    "a form": lambda scene: replace(code(scene), content_type="application/x-www-form-urlencoded"),
    "text": lambda scene: replace(code(scene), content_type="text/plain"),
    "a GET": lambda scene: replace(asking(scene, b""), method="GET"),
    "a wrong code": lambda scene: entry(scene, otp="000000"),
    "no code": lambda scene: entry(scene, otp=""),
    "a used code": used,
    "a deactivated user": deactivated,
    "guessed enough": guessed_enough,
    "with cookies": with_cookies,
    "with cookies for another's page": lambda scene: with_cookies(scene, "https://evil.example"),
}
# Whoever may not read an answer may get one: the browser keeps it from the page, and its cookies from another site's.
ALSO_GOOD = {"from a page", "from another's page", "with cookies", "with cookies for another's page"}


def forget() -> None:
    """What counts across customers: refusals to nobody in particular, and whose pages there are."""
    valkey.client().flushdb()
    Refusal.objects.update(open_as=None)
    refusal_budget.forget()
    cors._Memory.forget()


@pytest.fixture(autouse=True)
def connected() -> None:
    """Else the first of two would have the cost of the connections, and of telling Valkey its scripts, too."""
    if is_connected(__name__):
        return
    for script in vars(wait_and_budget).values():
        if isinstance(script, valkey.Script):
            valkey.client().script_load(script.source)
    first = Scene()
    ask(by_view(), returning(first))


@pytest.mark.parametrize("name", [*GOOD, *OTHERWISE])
def test_both_ways_are_one(name: str, log: Callable[[], str]) -> None:
    ways, mails = [], []
    for is_short in (False, True):
        forget()
        scene = Scene()
        one = {**GOOD, **OTHERWISE}[name](scene)
        posted = set(Message.objects.values_list("id", flat=True))
        found = seen(by_shortcut(SHORTCUTS[one.path]) if is_short else by_view(), one, log)
        ways.append(scene.masked(found))
        mails.append([*Message.objects.exclude(id__in=posted).values_list("recipient", "kind", "state", "locale")])
        is_good = name in GOOD or name in ALSO_GOOD
        assert found["status"].startswith("200") == is_good
    assert ways[0] == ways[1]
    assert mails[0] == mails[1]


@pytest.mark.parametrize("name", GOOD)
def test_the_shortcut_alone_answers_what_is_usual(name: str) -> None:
    one = GOOD[name](Scene())
    assert ask(alone(SHORTCUTS[one.path]), one).status == "200 OK"


@pytest.mark.parametrize("key_required", [True, False])
def test_whether_a_key_is_required_holds_for_both(key_required: bool) -> None:
    with override_settings(REQUIRE_API_KEY=key_required):
        asked = [without_key(Scene(), sealed({"email": f"{name}@example.com"}, REQUEST)) for name in ("a", "b")]
        answers = [ask(way, one) for way, one in zip((by_view(), _short(REQUEST)), asked, strict=True)]
    assert {answer.status for answer in answers} == {"401 Unauthorized" if key_required else "200 OK"}


@pytest.mark.parametrize("first", ["view", "shortcut"])
def test_an_envelope_is_good_once_whichever_way_it_goes(first: str) -> None:
    """A copy of the request, sent the other way: by a page, say, which the shortcut leaves to the view."""
    one = code(Scene())
    ways = [by_view(), _short(REQUEST)]
    for way, status in zip(ways if first == "view" else reversed(ways), ("200 OK", "409 Conflict"), strict=True):
        answer = ask(way, one)
        assert answer.status == status
    assert answer.error_type == "replayed_request"


def test_a_refusal_uses_the_envelope_up_and_is_counted_once() -> None:
    """The view says it, and does not open or count again what the shortcut has."""
    scene = Scene()
    wrong = entry(scene, otp="000000")
    assert ask(_short(VERIFY), wrong).error_type == "invalid_otp"
    assert Refusal.objects.filter(customer_id=scene.customer.id).values_list("count", flat=True).get() == 1
    assert ask(_short(VERIFY), wrong).error_type == "replayed_request"


def test_of_many_at_once_one_signs_in() -> None:
    scene = Scene()
    for limit in ("tries_per_ip", "tries_per_email", "tries_per_email_and_ip"):
        factories.limit(scene.customer, limit, 1000)
    asked = entry(scene)
    otp = newest_code()
    application = _short(VERIFY)
    document = {"email": EMAIL, "otp": otp}
    bodies = [sealed(document, VERIFY) for _ in range(16)]
    before = Session.objects.count()
    answers: list[Answer] = at_once(16, lambda number: ask(application, replace(asked, body=bodies[number])), threads=8)
    assert sorted({answer.status for answer in answers}) == ["200 OK", "400 Bad Request"]
    assert sum(answer.status == "200 OK" for answer in answers) == 1
    assert Session.objects.count() == before + 1


def test_a_failure_of_ours_is_answered_and_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = code(Scene())
    monkeypatch.setattr("apps.otp.code_requests._write", lambda *_, **__: 1 / 0)
    answer = ask(_short(REQUEST), one)
    assert (answer.status, answer.error_type) == ("500 Internal Server Error", "internal_error")
    assert caplog.text.count("unexpected_error") == 1


@pytest.mark.parametrize(("said", "goes_in"), [({}, False), (OVER_TLS, True)])
def test_plain_http_gets_no_code(said: dict[str, str], goes_in: bool, log: Callable[[], str]) -> None:
    with override_settings(**PRODUCTION):
        scenes = Scene(), Scene()
        asked = [replace(code(scene, headers=said), peer=PROXY) for scene in scenes]
        ways = [seen(way, one, log) for way, one in zip((by_view(), _short(REQUEST)), asked, strict=True)]
    for way in ways:
        way["log"] = way["log"][-1:]  # each process says once what is wrong with its proxy
    assert scenes[0].masked(ways[0]) == scenes[1].masked(ways[1])
    assert ways[0]["status"] == ("200 OK" if goes_in else "301 Moved Permanently")


def test_a_right_code_of_another_customer_is_wrong() -> None:
    mine, theirs = Scene(), Scene()
    entry(mine)
    otp = newest_code()
    assert ask(_short(VERIFY), entry(theirs, otp=otp)).error_type == "invalid_otp"


def _short(path: str) -> Any:
    return by_shortcut(SHORTCUTS[path])
