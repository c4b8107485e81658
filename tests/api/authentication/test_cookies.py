"""Cookie delivery (contract 3.8)."""

import pytest
from django.utils import timezone

from apps.customers.models import Customer
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.api.authentication.browsing import ACCESS, LOGOUT, ORIGIN, REFRESH, Browser
from tests.conftest import MakeClient
from tests.remembering import changed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    return factories.customer(allowed_origins=[ORIGIN])


@pytest.fixture
def browser(client_for: MakeClient, customer: Customer) -> Browser:
    signed_in = Browser(client_for(customer))
    assert signed_in.sign_in().status == 200
    return signed_in


def test_tokens_are_in_cookies_that_the_page_cannot_read(browser: Browser) -> None:
    """C3.8: HttpOnly, Secure, SameSite=Strict; none in the body."""
    assert {"access_token", "refresh_token"}.isdisjoint(browser.page)
    access, refresh = browser.attributes["__Host-gatehouse_access"], browser.attributes["__Secure-gatehouse_refresh"]
    for morsel, path in ((access, "/"), (refresh, "/api/auth")):
        assert morsel["httponly"]
        assert morsel["secure"]
        assert (morsel["samesite"], morsel["path"], morsel["domain"]) == ("Strict", path, "")


def test_the_payload_key_opens_answers_to_the_cookie(browser: Browser) -> None:
    answer = browser.call("GET", "/api/auth/me")
    assert answer.encrypted
    assert answer.document["email"] == "ada@example.com"


def test_the_page_encrypts_without_seeing_the_token(browser: Browser) -> None:
    answer = browser.call("PATCH", "/api/auth/me", {"name": "Ada"}, **browser.proof)
    assert (answer.status, answer.document["name"]) == (200, "Ada")


def test_unsafe_methods_need_token_and_origin(browser: Browser) -> None:
    assert browser.call("POST", "/api/auth/logout").error_type == "csrf_failed"
    assert browser.call("POST", "/api/auth/logout", X_CSRF_Token=browser.page["csrf_token"]).status == 403
    assert browser.call("POST", "/api/auth/logout", Origin=ORIGIN).status == 403
    evil = {**browser.proof, "Origin": "https://evil.example"}
    assert browser.call("POST", "/api/auth/logout", **evil).status == 403
    assert browser.call("POST", "/api/auth/logout", **{**browser.proof, "X_CSRF_Token": "\u00e9"}).status == 403
    assert browser.call("GET", "/api/auth/me").status == 200
    assert browser.call("POST", "/api/auth/logout", **browser.proof).status == 200


def test_the_services_own_origin_is_always_allowed(browser: Browser) -> None:
    """C3.8: for pages served beside the API; an opaque origin is nobody's."""
    proof = {**browser.proof, "Origin": "https://auth.example.test"}
    assert browser.call("PATCH", "/api/auth/me", {"name": "Ada"}, **proof).status == 200
    for other in ("null", "https://auth.example.test.evil.example", "http://auth.example.test", ""):
        assert browser.call("POST", "/api/auth/logout", **{**proof, "Origin": other}).error_type == "csrf_failed"


def test_a_token_in_the_header_needs_no_proof_even_beside_a_cookie(browser: Browser) -> None:
    """C3.8: no other site can send the header, and the header decides."""
    token = browser.cookies["__Host-gatehouse_access"]
    assert browser.call("POST", "/api/auth/logout", Authorization=f"Bearer {token}").status == 200


def test_a_csrf_token_is_bound_to_its_session(browser: Browser, customer: Customer, client_for: MakeClient) -> None:
    other = Browser(client_for(customer))
    other.sign_in()
    stolen = {**browser.proof, "X_CSRF_Token": other.page["csrf_token"]}
    assert browser.call("POST", "/api/auth/logout", **stolen).status == 403


def test_refresh_by_cookie_rotates_the_cookies(browser: Browser) -> None:
    before = dict(browser.cookies)
    assert browser.call("POST", "/api/auth/refresh").error_type == "csrf_failed"
    answer = browser.keep(browser.call("POST", "/api/auth/refresh", **browser.proof))
    assert answer.status == 200
    assert set(answer.document) == {"token_type", "expires_in", "payload_key", "payload_kid", "csrf_token"}
    assert all(browser.cookies[name] != value for name, value in before.items())
    assert browser.call("GET", "/api/auth/me").document["email"] == "ada@example.com"


def test_logging_out_clears_the_cookies(browser: Browser) -> None:
    browser.keep(browser.call("POST", "/api/auth/logout", **browser.proof))
    assert browser.cookies == {"__Host-gatehouse_access": "", "__Secure-gatehouse_refresh": ""}
    assert all(int(morsel["max-age"]) == 0 for morsel in browser.attributes.values())


def test_the_refresh_cookie_alone_logs_out(browser: Browser) -> None:
    """C3.8: the browser has dropped the access cookie, and the page was loaded anew and knows no token of it.

    The answer is plain, since there is nothing to encrypt it to.
    """
    session_id = Session.objects.get().id
    del browser.cookies[ACCESS]
    for of_another_page in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        refused = browser.call("POST", LOGOUT, **of_another_page)
        assert (refused.status, refused.error_type, refused.encrypted) == (403, "csrf_failed", False)
    answer = browser.keep(browser.call("POST", LOGOUT, Origin=ORIGIN))
    assert (answer.status, answer.encrypted) == (200, False)
    assert answer.document == {"message": "Logged out successfully"}
    assert browser.cookies == {ACCESS: "", REFRESH: ""}
    assert all(int(morsel["max-age"]) == 0 for morsel in browser.attributes.values())
    assert Session.objects.get(id=session_id).end_reason == "logout"


def test_logging_out_by_the_refresh_cookie_revokes_the_access_token_too(browser: Browser) -> None:
    """C4 logout: the access token is blacklisted, even if it did not come along."""
    access = browser.cookies.pop(ACCESS)
    assert browser.call("POST", LOGOUT, **browser.proof).status == 200
    assert browser.client.get("/api/auth/me", token=access).error_type == "token_revoked"


def test_a_dead_access_cookie_does_not_stand_in_the_way(browser: Browser, customer: Customer) -> None:
    """Expired, forged, or of an earlier rotation: the refresh cookie decides."""
    for dead in ("a.b.c", "nonsense", browser.cookies[ACCESS][:-4] + "AAAA"):
        browser.cookies[ACCESS] = dead
        assert browser.call("POST", LOGOUT, Origin="https://evil.example").error_type == "csrf_failed"
    assert browser.call("POST", LOGOUT).status == 200
    assert Session.objects.get().ended_at is not None


def test_a_used_refresh_cookie_logs_out_too(browser: Browser) -> None:
    """Another tab has refreshed meanwhile: logging out must end the session there too."""
    old = browser.cookies[REFRESH]
    browser.keep(browser.call("POST", "/api/auth/refresh", **browser.proof))
    browser.cookies = {REFRESH: old}
    assert browser.call("POST", LOGOUT, **browser.proof).status == 200
    assert Session.objects.get().end_reason == "logout"


def test_cookies_that_are_worth_nothing_any_more_are_cleared_too(browser: Browser) -> None:
    """Cookies of an ended session are removed, since a page cannot remove them itself."""
    Session.objects.update(ended_at=timezone.now())
    changed(Session.objects.get().customer)
    answer = browser.keep(browser.call("POST", LOGOUT, **browser.proof))
    assert (answer.status, answer.error_type) == (401, "session_ended")
    assert browser.cookies == {ACCESS: "", REFRESH: ""}


def test_logging_out_without_token_or_cookie_is_refused_and_sets_no_cookie(client_for: MakeClient) -> None:
    answer = client_for(None).call("POST", LOGOUT)
    assert (answer.status, answer.error_type) == (401, "authentication_required")
    assert "set-cookie" not in answer.headers


def test_a_header_decides_at_logout_too(browser: Browser, customer: Customer) -> None:
    """C3.8: its session ends, not that of the cookies."""
    other = factories.session(User.objects.get())
    assert browser.client.post(LOGOUT, {}, token=other.access).status == 200
    bad = browser.call("POST", LOGOUT, Authorization="Bearer nonsense", **browser.proof)
    assert bad.error_type == "malformed_token"
    assert Session.objects.get(id=other.session_id).ended_at is not None
    assert Session.objects.exclude(id=other.session_id).get().ended_at is None


def test_a_refresh_cookie_opens_nothing_else(browser: Browser) -> None:
    """It refreshes and logs out: it is no access token."""
    del browser.cookies[ACCESS]
    for method, path in (
        ("GET", "/api/auth/me"),
        ("DELETE", "/api/auth/sessions"),
        ("GET", "/api/auth/reauthenticate"),
    ):
        assert browser.call(method, path, **browser.proof).error_type == "authentication_required"


def test_the_refresh_cookie_of_another_customers_session_is_refused_with_a_key(
    browser: Browser, client_for: MakeClient
) -> None:
    browser.client = client_for(factories.customer())
    del browser.cookies[ACCESS]
    assert browser.call("POST", LOGOUT, **browser.proof).status in (401, 403)
    assert Session.objects.get().ended_at is None


def test_with_header_and_cookie_the_header_decides(browser: Browser) -> None:
    """C3.8."""
    answer = browser.call("GET", "/api/auth/me", Authorization="Bearer nonsense")
    assert (answer.status, answer.error_type) == (400, "malformed_token")


def test_the_token_of_a_cookie_is_worthless_at_another_customer(browser: Browser, client_for: MakeClient) -> None:
    browser.client = client_for(factories.customer())
    assert browser.call("GET", "/api/auth/me").error_type == "invalid_api_key"


@pytest.mark.parametrize("body", [{}, {"anything": 1}])
def test_a_body_does_not_keep_the_refresh_cookie_from_logging_out(browser: Browser, body: object) -> None:
    """There is no key to open it with, and nothing in it is needed: the session ends, not only the cookies."""
    del browser.cookies[ACCESS]
    answer = browser.keep(browser.call("POST", LOGOUT, body, Origin=ORIGIN))
    assert answer.status == 200
    assert Session.objects.get().end_reason == "logout"
