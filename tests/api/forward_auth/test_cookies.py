"""C3.8 behind a proxy: a token in a cookie counts for unsafe methods only with its proof, whatever method the proxy asks by."""

from collections.abc import Mapping

import pytest

from apps.api.authentication.cookies import csrf_token
from apps.tokens.minting import TokenPair
from tests import factories
from tests.api.authentication.browsing import ACCESS, ORIGIN
from tests.api.forward_auth.asking import PROXY, Proxy, by_shortcut

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = (403, "csrf_failed")
OWN_ORIGIN = "https://auth.example.test"


class Browser:
    """Signed in by cookies at a customer's app, which stands behind a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        customer = factories.customer(allowed_origins=[ORIGIN])
        self.pair: TokenPair = factories.session(factories.user(customer), delivery="cookie")
        self.query = f"customer={customer.slug}"
        self.cookie = {"Cookie": f"theme=dark; {ACCESS}={self.pair.access}"}
        self.proof = {"X_CSRF_Token": csrf_token(self.pair.session_id), "Origin": ORIGIN}

    def asks(self, *, method: str = "GET", **headers: str) -> tuple[int, str] | int:
        """The status of a yes, or why not."""
        answer = self.proxy.ask(f"/verify?{self.query}", method=method, **self.cookie, **headers)
        return answer.status if answer.status < 300 else answer.error

    def asks_envoy(self, *, method: str = "GET", **headers: str) -> tuple[int, str] | int:
        path = f"/verify/{self.query}/invoices?customer=other"
        answer = self.proxy.ask(path, method=method, **self.cookie, **headers)
        return answer.status if answer.status < 300 else answer.error


@pytest.fixture
def browser(settings: object) -> Browser:
    settings.TRUSTED_PROXIES = [PROXY]  # type: ignore[attr-defined]
    return Browser(by_shortcut())


SAYING: list[Mapping[str, str]] = [{"X_Forwarded_Method": "{}"}, {"X_Original_Method": "{}"}]


def said(method: str) -> list[dict[str, str]]:
    """As Traefik says it, and as our example for nginx does."""
    return [{name: value.format(method) for name, value in each.items()} for each in SAYING]


def test_a_safe_method_needs_no_proof(browser: Browser) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        assert [browser.asks(**headers) for headers in said(method)] == [204, 204]
        assert browser.asks_envoy(method=method) == 200


def test_an_unsafe_method_needs_token_and_origin(browser: Browser) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "GET "):
        for headers in said(method):
            assert browser.asks(**headers) == REFUSED
            assert browser.asks(**headers, Origin=ORIGIN) == REFUSED
            assert browser.asks(**headers, X_CSRF_Token=browser.proof["X_CSRF_Token"]) == REFUSED
            assert browser.asks(**headers, **browser.proof) == 204
    for method in ("POST", "DELETE", "PROPFIND"):
        assert browser.asks_envoy(method=method) == REFUSED
        assert browser.asks_envoy(method=method, **browser.proof) == 200


def test_a_method_that_nobody_says_may_be_an_unsafe_one(browser: Browser) -> None:
    """nginx asks by GET whatever the client's method is. A configuration that forgets to say it must not open a way."""
    assert browser.asks() == REFUSED
    assert browser.asks(**browser.proof) == 204


def test_who_is_no_trusted_proxy_cannot_call_a_method_safe(browser: Browser, settings: object) -> None:
    settings.TRUSTED_PROXIES = []  # type: ignore[attr-defined]
    for headers in said("GET"):
        assert browser.asks(**headers) == REFUSED


def test_of_several_methods_an_unsafe_one_counts(browser: Browser) -> None:
    """A client that sends the header that the proxy does not overwrite gains nothing."""
    assert browser.asks(X_Forwarded_Method="GET", X_Original_Method="POST") == REFUSED
    assert browser.asks(X_Forwarded_Method="POST", X_Original_Method="GET") == REFUSED
    assert browser.asks(X_Forwarded_Method="GET,POST") == REFUSED
    assert browser.asks(method="POST", X_Forwarded_Method="GET") == REFUSED
    assert browser.asks_envoy(X_Forwarded_Method="POST") == REFUSED


def test_another_sites_page_is_refused_by_a_safe_method_too(browser: Browser) -> None:
    """A WebSocket begins with a GET, to which browsers add the cookies and the Origin of whichever page opens it."""
    (headers, _) = said("GET")
    assert browser.asks(**headers, Origin="https://evil.example") == REFUSED
    assert browser.asks(**headers, Origin="null") == REFUSED
    assert browser.asks_envoy(Origin="https://evil.example", Upgrade="websocket") == REFUSED
    for origin in (ORIGIN, OWN_ORIGIN):
        assert browser.asks(**headers, Origin=origin) == 204
    assert browser.asks(**headers, Sec_Fetch_Site="same-site") == 204, "a link from a neighbour is none"


def test_a_token_in_the_header_needs_no_proof_and_goes_before_the_cookie(browser: Browser) -> None:
    bearer = {"Authorization": f"Bearer {browser.pair.access}"}
    assert browser.asks(**bearer) == 204
    assert browser.asks(**bearer, X_Forwarded_Method="DELETE", Origin="https://evil.example") == 204
    assert browser.asks(Authorization="Bearer x.y.z", X_Forwarded_Method="GET") == (401, "invalid_token")


def test_cookies_of_any_number_and_length_are_read(browser: Browser) -> None:
    """Apps behind a proxy set their own; several of a name are one line to us, joined without a space."""
    (headers, _) = said("GET")
    many = ";".join(f"c{number}={'x' * 100}" for number in range(70))
    browser.cookie = {"Cookie": f"{many};{browser.cookie['Cookie']};last=1"}
    assert browser.asks(**headers) == 204
    browser.cookie = {"Cookie": f'bad"cookie; =; ;{ACCESS}=; x'}
    assert browser.asks(**headers) == (401, "authentication_required")
