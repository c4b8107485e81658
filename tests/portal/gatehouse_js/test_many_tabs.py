"""C3.8: five real tabs with their tokens in cookies, for a day that passes quickly: none is signed out, none is unable to read."""

import random
from datetime import timedelta

import pytest
from django.db.models import F

from apps.customers.models import Customer
from apps.tokens.models import RefreshToken, Session
from tests import factories
from tests.portal.gatehouse_js.app import Browser, Failed, Tab, app_in_a_browser
from tests.remembering import changed
from tests.running import Running
from tests.signin.entering import EMAIL, PASSWORD, member

pytestmark = pytest.mark.django_db(transaction=True)

LIFETIME_SECONDS = 3  # of access tokens, in the place of seven hours
READ = "return (await g.fetch('/api/auth/me')).email"
WRITE = "return (await g.updateProfile({name: given})).email"


def sleep(tabs: list[Tab]) -> None:
    """The lid is closed, and opened after hours: the access cookie has gone, and no grace of a refresh is left."""
    sessions = [tab.page.context.new_cdp_session(tab.page) for tab in tabs]
    for session in sessions:
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
    tabs[0].page.context.clear_cookies(name="__Host-gatehouse_access")
    RefreshToken.objects.exclude(used_at=None).update(used_at=F("used_at") - timedelta(hours=6))
    for session in sessions:
        session.send("Page.setWebLifecycleState", {"state": "active"})
        session.detach()


def a_day(tabs: list[Tab]) -> None:
    """Each of the things that tabs do, in a random order, several times: more refreshes than a day has."""
    choice = random.Random(8)
    kinds = 3 * ["read", "write", "reload", "all at once", "expire", "sleep", "sleep, then all at once"]
    for kind in choice.sample(kinds, len(kinds)):
        tab = choice.choice(tabs)
        if kind == "expire":
            tab.page.wait_for_timeout(1000 * LIFETIME_SECONDS)
        if "sleep" in kind:
            sleep(tabs)
        if kind == "reload":
            assert tab.open().restore()[-1]["user"]["email"] == EMAIL
        if "all at once" in kind:
            all_at_once(tabs)
        assert tab.run(WRITE if kind == "write" else READ, "Ada") == EMAIL


def all_at_once(tabs: list[Tab]) -> None:
    for tab in tabs:
        tab.page.evaluate(f"window.reading = run(`{READ}`)")
    assert [tab.page.evaluate("reading") for tab in tabs] == len(tabs) * [{"value": EMAIL}]


def test_five_tabs_for_a_day(running_without_mails: Running) -> None:
    with app_in_a_browser(running_without_mails) as (app, customer):
        Customer.objects.filter(id=customer.id).update(access_lifetime=LIFETIME_SECONDS, refresh_lifetime=24 * 3600)
        factories.limit(customer, "refreshes_per_session", 10_000, 60)
        changed(customer)
        member(customer)
        member(customer, "eve@example.com")
        tabs = [app.tab(delivery="cookie") for _ in range(5)]
        tabs[0].run("return g.login(given[0], given[1])", [EMAIL, PASSWORD])
        a_day(tabs)
        assert all(tab.run(READ) == EMAIL for tab in tabs)
        session = Session.objects.get()
        assert session.ended_at is None
        assert RefreshToken.objects.filter(session_id=session.id).count() > 8
        assert not any("signed-out" in dict(tab.told()) for tab in tabs)
        somebody_else_signs_in_unheard(app, tabs[0])


def somebody_else_signs_in_unheard(app: Browser, tab: Tab) -> None:
    """What was begun for Ada is not done for Eve, whose cookies they are by now."""
    deaf = app.tab("delete window.BroadcastChannel; addEventListener = () => {}", delivery="cookie")
    assert deaf.run(READ) == EMAIL
    tab.run("await g.logout(); return g.login(given[0], given[1])", ["eve@example.com", PASSWORD])
    with pytest.raises(Failed) as refused:
        deaf.run(WRITE, "Ada, not Eve")
    assert refused.value.type == "session_changed"
    assert tab.run("return (await g.fetch('/api/auth/me')).name") == ""
    assert deaf.wait_until_told("signed-in")["here"] is False
    assert deaf.restore()[-1]["user"]["email"] == "eve@example.com"
