"""Cookie delivery (contract 3.8)."""

from base64 import urlsafe_b64decode
from http.cookies import SimpleCookie

import pytest

from apps.customers.models import Customer
from demo.client import Answer, Client, TokenKeys, envelope
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = "https://app.example.com"


class Browser:
    """Keeps cookies and what the page was given; sees no token."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cookies: dict[str, str] = {}
        self.attributes: SimpleCookie = SimpleCookie()
        self.page: dict[str, str] = {}

    def sign_in(self) -> Answer:
        self.client.request_otp("ada@example.com")
        return self.keep(self.client.verify_otp("ada@example.com", newest_code(), delivery="cookie"))

    def keep(self, answer: Answer) -> Answer:
        self.attributes = SimpleCookie()
        for line in answer.headers.get("set-cookie", "").splitlines():
            self.attributes.load(line.strip())
        self.cookies |= {name: morsel.value for name, morsel in self.attributes.items()}
        if isinstance(answer.document, dict) and "payload_key" in answer.document:
            self.page = answer.document
        return answer

    def call(self, method: str, path: str, document: object = None, **headers: str) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        prk = urlsafe_b64decode(self.page["payload_key"] + "=")
        keys = TokenKeys(prk=prk, kid=self.page["payload_kid"])
        body = b"" if document is None else envelope(keys.seal(document, info=f"request {method} {path}"))
        sent = {"Cookie": cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.call(method, path, body, headers=sent, keys=keys)

    @property
    def proof(self) -> dict[str, str]:
        return {"X_CSRF_Token": self.page["csrf_token"], "Origin": ORIGIN}


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
    for morsel, path in ((access, "/"), (refresh, "/api/auth/refresh")):
        assert morsel["httponly"]
        assert morsel["secure"]
        assert (morsel["samesite"], morsel["path"], morsel["domain"]) == ("Strict", path, "")


def test_the_payload_key_opens_what_the_cookie_authenticates(browser: Browser) -> None:
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


def test_the_header_decides_when_both_are_there(browser: Browser) -> None:
    """C3.8: a request that bears both is decided by the header."""
    answer = browser.call("GET", "/api/auth/me", Authorization="Bearer nonsense")
    assert (answer.status, answer.error_type) == (400, "malformed_token")


def test_the_token_of_a_cookie_is_worthless_at_another_customer(browser: Browser, client_for: MakeClient) -> None:
    browser.client = client_for(factories.customer())
    assert browser.call("GET", "/api/auth/me").error_type == "invalid_api_key"
