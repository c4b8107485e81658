"""Sessions in real pages: restored in two phases, refreshed once for all tabs, and kept through whatever browsers and networks do."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Request, Route

from apps.customers.models import Customer
from apps.tokens.models import RefreshToken, Session
from tests import factories
from tests.portal.gatehouse_js.app import Browser, app_in_a_browser
from tests.running import Running
from tests.signin.entering import EMAIL, PASSWORD, member

pytestmark = pytest.mark.django_db(transaction=True)

SIGNED_OUT = {"user": None, "verified": True}
LOGIN = "return g.login(given[0], given[1])"
ME = "return g.fetch('/api/auth/me')"
MANY = f"return Promise.all(Array.from({{length: 15}}, async () => {{ {ME} }}))"
DUE = {"expires_at": 0}
AN_HOUR_FAST = "const real = Date.now; Date.now = () => real() + 3600000"


def tampered(token: str, **claims: Any) -> str:
    """The token with other claims under its old signature."""
    header, payload, signature = token.split(".")
    said = {**json.loads(urlsafe_b64decode(payload + "==")), **claims}
    return ".".join((header, urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode(), signature))


class Requests:
    """What the pages of a browser have asked the service."""

    def __init__(self, app: Browser) -> None:
        self._seen: list[str] = []
        app.context.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "/api/" in request.url and request.method != "OPTIONS":
            self._seen.append(f"{request.method} /api/{request.url.partition('/api/')[2]}")

    def taken(self) -> list[str]:
        seen, self._seen = self._seen, []
        return seen


def test_sessions_in_real_pages(running_without_mails: Running) -> None:
    """Of three customers, and with one service: it takes seconds to start. It remembers for seconds, too, which origins there are."""
    with ExitStack() as apps:
        first, second = (apps.enter_context(app_in_a_browser(running_without_mails)) for _ in range(2))
        third = apps.enter_context(app_in_a_browser(running_without_mails, code_resend_after=600))
        a_stored_session_is_shown_as_it_claims_and_counts_as_the_service_knows_it(*first)
        one_refresh_serves_all_calls_of_all_tabs_and_no_lost_answer_signs_anybody_out(*second)
        it_works_with_a_wrong_clock_without_storage_and_without_what_older_browsers_lack(*third)


def a_stored_session_is_shown_as_it_claims_and_counts_as_the_service_knows_it(app: Browser, customer: Customer) -> None:
    """And what is stored can be anything: somebody may have written it."""
    user = member(customer, name="Ada")
    requests = Requests(app)
    tab, other = app.tab(), app.tab()

    pair = factories.session(user)
    claimed, known = tab.store(pair, user={"name": "Ada, as last seen"}).restore()
    assert (claimed["user"]["name"], known["user"]["name"]) == ("Ada, as last seen", "Ada")
    assert requests.taken() == ["GET /api/auth/me"]
    assert tab.restore() == [known]
    assert tab.run("return g.user()") == known["user"]
    assert requests.taken() == []  # for five minutes
    tab.run("const real = Date.now; Date.now = () => real() + 301000")
    assert tab.run("return g.can('anything')") is False
    assert len(tab.restore()) == 2
    assert requests.taken() == ["GET /api/auth/me"]

    lie = {"email": "mallory@example.com", "role": "admin", "permissions": ["everything"]}
    tab.store(pair, access_token=tampered(pair.access, **lie), user={"name": "Mallory"})
    tab.open()
    steps = """
      const steps = g.restore()
      const first = (await steps.next()).value
      const may = g.can('everything')
      return [first, may, (await steps.next()).value, g.can('everything')]
    """
    first, may, second, may_then = tab.run(steps)
    assert (first["verified"], first["user"]["name"], first["user"]["email"]) == (
        False,
        "Mallory",
        "mallory@example.com",
    )
    assert "permissions" not in first["user"]
    assert (may, second, may_then) == (False, SIGNED_OUT, False)
    assert tab.stored() is None
    assert tab.wait_until_told("signed-out") == {"reason": "invalid_token", "here": True}
    assert other.wait_until_told("signed-out") == {"reason": "elsewhere", "here": False}

    for nonsense in ('"x"', "{", '{"access_token": "x"}', '{"access_token": 5}', "null"):
        tab.page.evaluate("([name, kept]) => localStorage.setItem(name, kept)", [tab.kept_as, nonsense])
        assert tab.open().restore() == [SIGNED_OUT]

    tab.store(factories.session(user)).open()
    app.context.set_offline(True)
    answers = "const all = []; try { for await (const one of g.restore()) all.push(one.verified) } catch (e) { all.push(e.type) }"
    assert tab.run(f"{answers}; return all") == [False, "network_error"]
    app.context.set_offline(False)
    assert [one["verified"] for one in tab.restore()] == [False, True]  # nobody was signed out by that
    Session.objects.filter(user=user).update(ended_at=timezone.now())


def one_refresh_serves_all_calls_of_all_tabs_and_no_lost_answer_signs_anybody_out(
    app: Browser, customer: Customer
) -> None:
    user = member(customer)
    requests = Requests(app)
    tab, other = app.tab(), app.tab()

    tab.store(factories.session(user), **DUE)
    tab.page.evaluate(f"window.calls = run(`{MANY}`)"), other.page.evaluate(f"window.calls = run(`{MANY}`)")
    both = [one.page.evaluate("calls") for one in (tab, other)]
    assert [len(one["value"]) for one in both] == [15, 15]
    assert requests.taken().count("POST /api/auth/refresh") == 1

    long_ago = timezone.now() - timedelta(hours=8)
    tab.store(factories.session(user, now=long_ago))  # the page believes that it is good
    assert tab.run(ME)["email"] == EMAIL
    assert requests.taken() == ["GET /api/auth/me", "POST /api/auth/refresh", "GET /api/auth/me"]

    def lose(route: Route) -> None:
        """The service has answered, and nobody has heard it."""
        route.fetch()
        route.abort()

    tab.store(factories.session(user), **DUE)
    tab.page.route("**/api/auth/refresh", lose, times=1)
    assert tab.run(ME)["email"] == EMAIL
    tab.page.unroute_all()

    tab.store(factories.session(user), **DUE)
    app.context.set_offline(True)
    assert tab.fails(ME)["type"] == "network_error"
    app.context.set_offline(False)
    assert tab.run(ME)["email"] == EMAIL

    # A listener calls what it likes: nothing is held while it runs.
    tab.run("g.on('user', async () => { window.heard = await g.fetch('/api/auth/me') })")
    tab.store(factories.session(user), **DUE)
    tab.run("return g.user()")
    tab.page.wait_for_function("window.heard")

    # A tab that hangs with the lock does not stop the others for ever.
    hang = "name => { navigator.locks.request(name, () => new Promise((end) => { window.goOn = end })) }"
    other.page.evaluate(hang, tab.kept_as)
    other.page.wait_for_function("'goOn' in window")
    tab.run("const real = setTimeout; window.setTimeout = (work, after) => real(work, after === 20000 ? 50 : after)")
    tab.store(factories.session(user), **DUE)
    assert tab.run(ME)["email"] == EMAIL

    other.page.evaluate("goOn()")  # else each refresh from here on would wait for as long as a real one

    # What is cancelled is thrown as it was cancelled, and disturbs nobody else.
    tab.open().store(factories.session(user), **DUE)
    cancelled = """
      const stop = new AbortController()
      const mine = g.fetch('/api/auth/me', {signal: stop.signal}).catch((error) => error.name)
      const theirs = g.fetch('/api/auth/me')
      stop.abort()
      return [await mine, (await theirs).email]
    """
    assert tab.run(cancelled) == ["AbortError", EMAIL]

    used = factories.session(user)
    RefreshToken.objects.filter(session_id=used.session_id).update(used_at=timezone.now() - timedelta(minutes=1))
    tab.told()
    assert tab.store(used, **DUE).fails(ME)["type"] == "refresh_token_reused"
    assert tab.wait_until_told("signed-out") == {"reason": "refresh_token_reused", "here": True}


def it_works_with_a_wrong_clock_without_storage_and_without_what_older_browsers_lack(
    app: Browser, customer: Customer
) -> None:
    member(customer)

    wrong = app.tab(AN_HOUR_FAST, storage="memory")
    assert wrong.run(LOGIN, [EMAIL, PASSWORD])["user"]["email"] == EMAIL
    assert wrong.run(ME)["email"] == EMAIL
    assert app.tab(storage="memory").restore() == [SIGNED_OUT]  # each page for itself

    refused = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    closed = app.tab(refused)
    assert closed.run(LOGIN, [EMAIL, PASSWORD])["user"]["email"] == EMAIL
    assert closed.run(ME)["email"] == EMAIL

    old = "delete window.BroadcastChannel; Object.defineProperty(navigator, 'locks', { value: undefined })"
    older, oldest = app.tab(old), app.tab(old)
    older.run(LOGIN, [EMAIL, PASSWORD])
    assert oldest.wait_until_told("signed-in")["here"] is False
    assert oldest.run(ME)["email"] == EMAIL
    oldest.run("return g.logout()")
    assert older.wait_until_told("signed-out")["here"] is False

    page = app.tab()
    page.run(LOGIN, [EMAIL, PASSWORD])
    page.told()
    page.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    app.tab().run("return g.logout()")
    assert page.told() == []  # a page in the browser's cache hears nothing
    page.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.wait_until_told("woken")
    assert page.restore() == [SIGNED_OUT]

    assert page.run("return g.requestCode(given)", EMAIL)["resend_in"] == 600
    soon = page.fails("return g.requestCode(given)", EMAIL)
    assert (soon["status"], soon["type"]) == (429, "resend_too_soon")
    assert 0 < soon["retryAfter"] <= 600
