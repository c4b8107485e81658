"""Several tabs of one browser share its cookies: whatever they do at once, none is signed out and each can read (contract 3.6, 3.8)."""

import random
from datetime import timedelta
from http.cookies import Morsel

import pytest
from django.db.models import F
from django.utils import timezone
from joserfc.errors import DecodeError

from apps.customers.models import Customer
from apps.tokens.models import RefreshToken, Session
from demo.client import Answer
from tests import factories
from tests.api.authentication.browsing import ACCESS, LOGOUT, ME, ORIGIN, REFRESH, REFRESHING, Browser
from tests.conftest import MakeClient
from tests.races import at_once
from tests.remembering import changed
from tests.signin.entering import PASSWORD, member

pytestmark = pytest.mark.django_db(transaction=True)
ACCESS_LIFETIME, REFRESH_LIFETIME = 20, 7200  # seconds
DAY = 24 * 3600
REAUTHENTICATE = "/api/auth/reauthenticate"


class Clock:
    """Time as it passes for the browser's cookies and, for what was used, in the service's rows."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def let_pass(self, seconds: float) -> None:
        self.seconds += seconds
        RefreshToken.objects.exclude(used_at=None).update(used_at=F("used_at") - timedelta(seconds=seconds))


class Tab(Browser):
    """Behaves as a page should: it refreshes when its access cookie has gone, and asks anew for what it forgot."""

    clock: Clock
    expiries: dict[str, float]

    @classmethod
    def of(cls, signed_in: Browser, clock: Clock, expiries: dict[str, float]) -> "Tab":
        tab = cls(signed_in.client, signed_in.cookies)
        tab.clock, tab.expiries = clock, expiries
        return tab

    def store(self, name: str, morsel: "Morsel[str]") -> None:
        super().store(name, morsel)
        self.expiries[name] = self.clock.seconds + int(morsel["max-age"])

    def call(self, method: str, path: str, document: object = None, **headers: str) -> Answer:
        for name, expiry in self.expiries.items():
            if expiry <= self.clock.seconds:
                self.cookies.pop(name, None)
        return super().call(method, path, document, **headers)

    def reload(self) -> None:
        """The page forgets everything."""
        self.page = {}
        resumed = self.resume()
        assert resumed.status == 200
        if resumed.document["expires_in"] == 0:
            assert self.refresh().status == 200

    def read(self) -> None:
        answer = self.call("GET", ME)
        if answer.error_type == "authentication_required":
            assert self.refresh().status == 200
            answer = self.call("GET", ME)
        assert (answer.status, answer.encrypted, answer.document["email"]) == (200, True, "ada@example.com")

    def write(self) -> None:
        self.read()
        assert self.call("PATCH", ME, {"name": "Ada"}, **self.proof).document["name"] == "Ada"

    def lose_an_answer(self) -> None:
        """The network breaks off after the service has refreshed; the page tries again a moment later."""
        assert self.call("POST", REFRESHING, **self.proof).status == 200
        self.clock.let_pass(3)
        assert self.refresh().status == 200


@pytest.fixture
def customer() -> Customer:
    made = factories.customer(allowed_origins=[ORIGIN])
    lifetimes = {"access_lifetime": ACCESS_LIFETIME, "refresh_lifetime": REFRESH_LIFETIME}
    Customer.objects.filter(id=made.id).update(**lifetimes)
    factories.limit(made, "refreshes_per_session", 10_000, 60)
    changed(made)
    return made


@pytest.fixture
def browser(client_for: MakeClient, customer: Customer) -> Browser:
    signed_in = Browser(client_for(customer))
    assert signed_in.sign_in().status == 200
    return signed_in


def test_five_tabs_for_a_day(browser: Browser) -> None:
    """C3.8: they refresh, reload, sleep and wake: none is signed out, none is unable to read, and the key stays."""
    clock, choice = Clock(), random.Random(8)
    expiries: dict[str, float] = {}
    tabs = [Tab.of(browser, clock, expiries) for _ in range(5)]
    for tab in tabs:
        tab.reload()
    done = []
    while clock.seconds < DAY:
        tab, other = choice.sample(tabs, 2)
        kind = choice.choice(["read", "write", "reload", "refresh", "both", "lose", "sleep", "sleep"])
        done.append(kind)
        if kind == "sleep":
            clock.let_pass(choice.randint(ACCESS_LIFETIME, REFRESH_LIFETIME - 60))
            tab.read()
        elif kind == "both":
            refresh_at_once(tab, other)
        else:
            {
                "read": tab.read,
                "write": tab.write,
                "reload": tab.reload,
                "refresh": tab.refresh,
                "lose": tab.lose_an_answer,
            }[kind]()
        clock.let_pass(choice.choice([0, 1, 5, 30]))
    assert len(set(done)) == 7
    for tab in tabs:
        tab.read()
    assert {tab.page["payload_key"] for tab in tabs} == {browser.page["payload_key"]}
    assert Session.objects.get().ended_at is None
    assert RefreshToken.objects.count() > 20
    sign_out_of_all(tabs)


def refresh_at_once(tab: Browser, other: Browser) -> None:
    """Both have sent the same cookie before either has an answer. Whichever answer comes last, the cookies are the same."""
    old = dict(tab.cookies)
    assert tab.refresh().status == 200
    stored = dict(tab.cookies)
    tab.cookies.update(old)
    assert other.refresh().status == 200
    assert other.cookies == stored


def sign_out_of_all(tabs: list[Tab]) -> None:
    """C3.8: by the refresh cookie alone, from a page that knows nothing."""
    tabs[0].page = {}
    tabs[0].cookies.pop(ACCESS)
    assert tabs[0].keep(tabs[0].call("POST", LOGOUT, Origin=ORIGIN)).status == 200
    assert tabs[0].cookies == {ACCESS: "", REFRESH: ""}
    for tab in tabs:
        tab.page = {}
        assert tab.resume().error_type == "authentication_required"


def test_tabs_that_refresh_at_the_same_moment_get_the_same_cookies(browser: Browser) -> None:
    """C3.6: in real threads."""
    tabs = [Browser(browser.client, dict(browser.cookies)) for _ in range(5)]
    for tab in tabs:
        tab.page = browser.page
    answers = at_once(5, lambda number: tabs[number].refresh().status)
    assert answers == [200] * 5
    assert len({tuple(sorted(tab.cookies.items())) for tab in tabs}) == 1
    assert [tab.call("GET", ME).status for tab in tabs] == [200] * 5
    assert RefreshToken.objects.count() == 2


def test_a_refresh_while_another_tab_proves_who_it_is(client_for: MakeClient, customer: Customer) -> None:
    """C3.10: whichever answer comes last, both tabs go on, and the session can be refreshed."""
    member(customer)
    browser = Browser(client_for(customer))
    browser.keep(browser.client.before_sign_in("/api/auth/login", login_by_cookie()))
    for steps in ((prove, refresh), (refresh, prove)):
        old, other = dict(browser.cookies), browser.new_tab()
        assert other.resume().status == 200
        for tab, step in zip((browser, other) if steps[0] is prove else (other, browser), steps, strict=True):
            browser.cookies.update(old)  # both were sent before either answer came
            assert step(tab).status == 200
        for tab in (browser, other):
            assert tab.call("GET", ME).document["email"] == "ada@example.com"
            assert tab.refresh().status == 200
    assert Session.objects.get().ended_at is None


def prove(tab: Browser) -> Answer:
    proof = {"method": "password", "password": PASSWORD}
    return tab.keep(tab.call("POST", REAUTHENTICATE, proof, **tab.proof))


def refresh(tab: Browser) -> Answer:
    return tab.refresh()


def login_by_cookie() -> dict[str, str]:
    return {"email": "ada@example.com", "password": PASSWORD, "delivery": "cookie"}


def test_a_refused_refresh_takes_no_cookie_away(browser: Browser) -> None:
    """The loser of a race must not delete what the winner was given, nor a page without a csrf token sign anybody out."""
    without_proof = browser.call("POST", REFRESHING)
    assert (without_proof.status, without_proof.error_type) == (403, "csrf_failed")
    assert "set-cookie" not in without_proof.headers
    assert browser.refresh().status == 200
    Session.objects.update(ended_at=timezone.now())
    changed(Session.objects.get().customer)
    ended = browser.call("POST", REFRESHING, **browser.proof)
    assert (ended.status, ended.error_type) == (401, "session_ended")
    assert "set-cookie" not in ended.headers


def test_an_answer_that_comes_after_a_sign_out_brings_nobody_back(browser: Browser) -> None:
    """A refresh was under way in another tab. Its cookies are of a session that is over."""
    late = browser.new_tab()
    late.resume()
    on_its_way = late.call("POST", REFRESHING, **late.proof)
    assert browser.keep(browser.call("POST", LOGOUT, **browser.proof)).status == 200
    late.keep(on_its_way)
    assert late.call("GET", ME).error_type == "session_ended"
    assert late.resume().error_type == "session_ended"
    assert late.keep(late.call("POST", LOGOUT, Origin=ORIGIN)).status == 401
    assert late.cookies == {ACCESS: "", REFRESH: ""}


def test_a_tab_of_an_earlier_session_neither_reads_nor_writes_in_the_next(browser: Browser, customer: Customer) -> None:
    """Somebody else has signed in in another tab. The old page's key and csrf token are of another session."""
    next_pair = factories.session(factories.user(customer, "bob@example.com"), delivery="cookie")
    browser.cookies.update({ACCESS: next_pair.access, REFRESH: next_pair.refresh})
    with pytest.raises(DecodeError):
        browser.call("GET", ME)
    browser.page["csrf_token"] = browser.new_tab().resume().document["csrf_token"]  # even so
    with pytest.raises(DecodeError):
        browser.call("PATCH", ME, {"name": "Ada"}, **browser.proof)
    browser.page = {}
    assert browser.resume().document["user"]["email"] == "bob@example.com"
    assert browser.call("GET", ME).document["name"] == ""
