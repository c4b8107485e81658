"""A new tab, or a page that was loaded anew, goes on with the cookies alone (contract 3.8)."""

from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from apps.api.authentication.cookies import csrf_token
from apps.core import reencryption, sealed
from apps.core.state import reading
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.tokens import sessions, state
from apps.tokens.models import RefreshToken, Session
from apps.users import lifecycle as users
from apps.users.models import User
from tests import factories
from tests.api.authentication.browsing import ACCESS, COOKIE_SESSION, ME, ORIGIN, REFRESH, REFRESHING, Browser
from tests.conftest import MakeClient, over_django
from tests.remembering import changed, forget_everything
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
MEMBERS = {"payload_key", "payload_kid", "csrf_token", "user", "expires_in"}
OUR_OWN = {"Sec_Fetch_Site": "same-origin"}


@pytest.fixture
def customer() -> Customer:
    return factories.customer(allowed_origins=[ORIGIN, "https://*.preview.example.com"])


@pytest.fixture
def browser(client_for: MakeClient, customer: Customer) -> Browser:
    signed_in = Browser(client_for(customer))
    assert signed_in.sign_in().status == 200
    return signed_in


def grow_older(seconds: float) -> None:
    """Let so many seconds pass since every refresh token was used."""
    RefreshToken.objects.exclude(used_at=None).update(used_at=F("used_at") - timedelta(seconds=seconds))


def test_a_new_tab_is_told_what_it_needs_in_plain(browser: Browser) -> None:
    """C3.8: key, kid, csrf token and user; and it writes and reads like the tab that signed in."""
    tab = browser.new_tab()
    answer = tab.resume()
    assert (answer.status, answer.encrypted, set(answer.document)) == (200, False, MEMBERS)
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert answer.document["user"]["email"] == "ada@example.com"
    assert 0 < answer.document["expires_in"] <= 25_200
    assert {name: tab.page[name] for name in ("payload_key", "payload_kid", "csrf_token")} == {
        name: browser.page[name] for name in ("payload_key", "payload_kid", "csrf_token")
    }
    assert tab.call("PATCH", ME, {"name": "Ada"}, **tab.proof).document["name"] == "Ada"


def test_the_key_is_the_sessions_own_and_random(browser: Browser, client_for: MakeClient, customer: Customer) -> None:
    """C3.8: 32 bytes, not derived from a token, named by the session's id."""
    other = Browser(client_for(customer))
    other.sign_in()
    keys = {urlsafe_b64decode(each.page["payload_key"] + "=") for each in (browser, other)}
    assert [len(key) for key in keys] == [32, 32]
    ids = set(Session.objects.values_list("id", flat=True))
    assert {browser.page["payload_kid"], other.page["payload_kid"]} == {str(each) for each in ids}


def test_a_refresh_changes_the_tokens_and_not_the_key(browser: Browser) -> None:
    """C3.8: each tab goes on reading, whichever of them has refreshed."""
    tab = browser.new_tab()
    tab.resume()
    known, cookies = dict(browser.page), dict(browser.cookies)
    for one, other in ((browser, tab), (tab, browser)):
        assert one.refresh().status == 200
        assert other.call("GET", ME).document["email"] == "ada@example.com"
        assert other.call("PATCH", ME, {"name": "Zoë"}, **other.proof).document["name"] == "Zoë"
    assert {name: browser.page[name] for name in ("payload_key", "payload_kid", "csrf_token")} == {
        name: known[name] for name in ("payload_key", "payload_kid", "csrf_token")
    }
    assert all(browser.cookies[name] != value for name, value in cookies.items())


def test_the_refresh_cookie_alone_will_do_and_is_not_used_up(browser: Browser) -> None:
    """C3.8: the browser has dropped the access cookie. The page is told to refresh first."""
    del browser.cookies[ACCESS]
    tab = browser.new_tab()
    for _ in range(2):
        answer = tab.resume()
        assert (answer.status, answer.document["expires_in"]) == (200, 0)
    assert RefreshToken.objects.get().used_at is None
    assert tab.refresh().status == 200
    assert tab.call("GET", ME).status == 200


def test_an_access_cookie_that_counts_no_more_does_not_stand_in_the_way(browser: Browser, customer: Customer) -> None:
    longer_ago = factories.session(
        User.objects.get(), delivery="cookie", now=timezone.now() - timedelta(seconds=customer.access_lifetime + 60)
    )
    for dead in ("a.b.c", "nonsense", longer_ago.access, browser.cookies[ACCESS][:-4] + "AAAA"):
        browser.cookies[ACCESS] = dead
        answer = browser.new_tab().resume()
        assert (answer.status, answer.document["expires_in"]) == (200, 0)


def test_the_access_cookie_alone_will_do(browser: Browser) -> None:
    del browser.cookies[REFRESH]
    assert browser.new_tab().resume().document["expires_in"] > 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ORIGIN}, 200),
        ({"Origin": "https://auth.example.test"}, 200),
        (OUR_OWN, 200),
        ({"Origin": ORIGIN, "Sec_Fetch_Site": "same-site"}, 200),
        ({"X_Nothing": "at all"}, 403),
        ({"Sec_Fetch_Site": "none"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "SAME-ORIGIN"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "https://evil.example", **OUR_OWN}, 403),
        ({"Origin": "https://a.preview.example.com"}, 403),
        ({"Origin": "https://app.example.com.evil.example"}, 403),
        ({"Origin": "http://app.example.com"}, 403),
        ({"Referer": f"{ORIGIN}/", "Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_only_pages_of_the_customer_or_of_ours_are_told(browser: Browser, headers: dict[str, str], status: int) -> None:
    """C3.8: by either cookie. A refusal is plain: the page has no key yet."""
    everything = dict(browser.cookies)
    for missing in ("", ACCESS, REFRESH):
        browser.cookies = {name: value for name, value in everything.items() if name != missing}
        answer = browser.new_tab().resume(**headers)
        assert (answer.status, answer.encrypted) == (status, False)
        assert answer.error_type == (None if status == 200 else "csrf_failed")


def test_what_the_cookies_show_is_as_it_is_now(browser: Browser, customer: Customer) -> None:
    """C3.3: the user's role of this moment; and whoever may no longer sign in is told nothing."""
    tab, context = browser.new_tab(), factories.context("x")
    users.change(User.objects.get(), changes={"role": "admin"}, context=context)
    assert tab.resume().document["user"]["role"] == "admin"
    Session.objects.update(ended_at=timezone.now())
    changed(customer)
    ended = tab.resume()
    assert (ended.status, ended.error_type) == (401, "session_ended")
    assert "set-cookie" not in ended.headers  # another tab may have signed in meanwhile: it would lose its cookies
    Session.objects.update(ended_at=None)
    lifecycle.suspend(customer, context=context)
    suspended = tab.resume()
    assert (suspended.status, suspended.error_type, suspended.encrypted) == (403, "customer_suspended", False)


def test_a_used_refresh_cookie_tells_only_within_the_grace(browser: Browser) -> None:
    """C3.6: an old refresh token is worth nothing, but a tab may have asked while another refreshed. Asking ends no session."""
    old = browser.cookies[REFRESH]
    browser.refresh()
    late = Browser(browser.client, {REFRESH: old})
    assert late.resume().status == 200
    grow_older(11)
    refused = late.resume()
    assert (refused.status, refused.error_type) == (401, "invalid_token")
    assert Session.objects.get().ended_at is None


def test_without_grace_a_used_refresh_cookie_tells_nothing(browser: Browser, customer: Customer) -> None:
    factories.policy(customer, refresh_grace=0)
    old = browser.cookies[REFRESH]
    browser.refresh()
    assert Browser(browser.client, {REFRESH: old}).resume().error_type == "invalid_token"


def test_a_refresh_token_without_its_row_tells_nothing(browser: Browser) -> None:
    """C3.6."""
    del browser.cookies[ACCESS]
    RefreshToken.objects.all().delete()
    assert browser.new_tab().resume().error_type == "invalid_token"


def test_without_cookies_nobody_is_signed_in(client_for: MakeClient) -> None:
    answer = Browser(client_for(None)).resume()
    assert (answer.status, answer.error_type) == (401, "authentication_required")


def test_tokens_that_a_client_holds_itself_are_no_cookie_session(browser: Browser) -> None:
    """Body delivery has no such key; nor do the tokens count as what they are not."""
    pair = factories.session(User.objects.get())
    for cookies in (
        {ACCESS: pair.access},
        {REFRESH: pair.refresh},
        {ACCESS: pair.refresh},
        {REFRESH: pair.access},
    ):
        assert Browser(browser.client, cookies).resume().error_type in {"invalid_token", "malformed_token"}


def test_a_header_decides_here_too(browser: Browser) -> None:
    """C3.8."""
    browser.page = {}
    bearer = {"Origin": ORIGIN, "Authorization": f"Bearer {factories.session(User.objects.get()).access}"}
    assert browser.resume(**bearer).error_type == "invalid_token"
    assert browser.resume(**{**bearer, "Authorization": "Bearer nonsense"}).error_type == "malformed_token"


def test_cookies_of_one_customer_are_worthless_at_another(browser: Browser, client_for: MakeClient) -> None:
    """C1.5: by the key that comes along, and by the origins that the customer allows."""
    other = factories.customer(allowed_origins=["https://other.example"])
    stranger = Browser(client_for(other), browser.cookies)
    assert stranger.resume().error_type == "invalid_api_key"
    assert browser.new_tab().resume(Origin="https://other.example").error_type == "csrf_failed"


def test_the_allowlist_binds_it_when_the_customer_says_so(browser: Browser, customer: Customer) -> None:
    """C1.6."""
    networks = {"198.51.100.0/24": ""}
    factories.policy(customer, enforce_allowlist_on_tokens=True)
    lifecycle.replace_allowlist(customer=customer, networks=networks, context=factories.context("x"))
    for missing in (ACCESS, REFRESH):
        cookies = {name: value for name, value in browser.cookies.items() if name != missing}
        assert Browser(browser.client, cookies).resume().error_type == "ip_not_allowed"


def test_a_page_of_the_customer_may_read_it_and_no_other() -> None:
    """C3.8: CORS, with credentials."""
    shop = factories.customer(allowed_origins=[ORIGIN])
    factories.customer(allowed_origins=["https://other.example"])
    pair = factories.session(factories.user(shop), delivery="cookie")
    send, cookie = over_django(), f"{ACCESS}={pair.access}"
    for origin, readable in ((ORIGIN, True), ("https://other.example", False), ("https://evil.example", False)):
        wire = send("GET", COOKIE_SESSION, {"Cookie": cookie, "Origin": origin}, b"")
        assert (wire.headers.get("access-control-allow-origin") == origin) is readable
        assert ("access-control-allow-credentials" in wire.headers) is readable
        assert "origin" in wire.headers["vary"].lower()


def test_what_it_costs(browser: Browser) -> None:
    """Remembered, nothing by the access cookie, and the token's row by the refresh cookie. So does every call with the cookie."""
    tab = browser.new_tab()
    tab.client.headers = {}  # without an API key, as browsers call
    tab.resume()
    with counted() as by_access:
        tab.resume()
    with counted() as of_a_call:
        assert tab.call("GET", ME).status == 200
    del tab.cookies[ACCESS]
    with counted() as by_refresh:
        tab.resume()
    assert [(len(cost.statements), cost.round_trips) for cost in (by_access, of_a_call, by_refresh)] == [
        (0, 0),
        (0, 0),
        (1, 0),
    ]


def test_the_key_is_sealed_in_its_row_and_nowhere_else(browser: Browser) -> None:
    """C2.4: bound to the row; and re-encrypted with everything else, while every tab goes on."""
    row, key = Session.objects.get(), urlsafe_b64decode(browser.page["payload_key"] + "=")
    assert sealed.read(row, "payload_key") == key
    assert browser.page["payload_key"] not in row.payload_key
    remembered = reading.read_one(state.BY_ID.at((row.customer_id, row.id)))
    assert remembered is not None
    assert remembered.payload_key == key
    assert repr(key) not in repr(remembered)
    assert "payload_key" not in repr(remembered)
    column = reencryption.Column(Session, "payload_key")
    before = row.payload_key
    assert reencryption._reencrypt_row(column, row)
    assert Session.objects.get().payload_key != before
    forget_everything()
    assert browser.call("GET", ME).document["email"] == "ada@example.com"


def test_only_cookie_sessions_have_a_key() -> None:
    user = factories.user(factories.customer())
    factories.session(user)
    factories.session(user, delivery="hosted")
    assert set(Session.objects.values_list("payload_key", flat=True)) == {""}


def test_a_cookie_session_without_a_key_has_ended(browser: Browser, customer: Customer) -> None:
    """It began before sessions had one: nobody could read its answers."""
    Session.objects.update(payload_key="")
    changed(customer)
    assert browser.call("GET", ME).error_type == "session_ended"
    assert browser.new_tab().resume().error_type == "session_ended"


def test_nobody_asks_for_a_hosted_session(client_for: MakeClient, customer: Customer) -> None:
    """Its tokens stay with the hosted pages."""
    client = client_for(customer)
    client.request_otp("ada@example.com")
    refused = client.verify_otp("ada@example.com", "123456", delivery="hosted")
    assert (refused.status, refused.error_type) == (400, "validation_error")


def test_sessions_of_hosted_pages_and_of_registered_clients_are_not_refreshed_here(
    client_for: MakeClient, customer: Customer
) -> None:
    """Hosted pages renew theirs by a fresh proof, and a registered client calls the token endpoint."""
    user, client = factories.user(customer), client_for(None)
    hosted = factories.session(user, delivery="hosted")
    of_a_client = sessions.start(
        customer=factories.state_of(customer),
        user=user,
        amr=("pwd",),
        delivery="body",
        context=factories.context(),
        oauth_client_id="app",
    )
    for pair in (hosted, of_a_client):
        cookie = {"Cookie": f"{REFRESH}={pair.refresh}", "Origin": ORIGIN, "X-CSRF-Token": csrf_token(pair.session_id)}
        for refused in (client.refresh(pair.refresh), client.call("POST", REFRESHING, headers=cookie)):
            assert (refused.status, refused.error_type) == (401, "invalid_token")
        assert Browser(client, {REFRESH: pair.refresh}).resume().error_type == "invalid_token"
    assert not RefreshToken.objects.exclude(used_at=None).exists()
