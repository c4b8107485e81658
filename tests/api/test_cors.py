"""The origins that a customer allows, and which pages may read which answers (CORS)."""

import json
from collections.abc import Mapping

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.api import cors
from apps.customers import allowed_origins, lifecycle
from apps.customers.allowed_origins import validate_origins
from tests import factories
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:x"
ANDROID = "android:apk-key-hash:" + "A" * 43
SHOP, BANK = "https://app.shop.example", "https://app.bank.example"


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://xn--mnchen-3ya.example",
        "http://localhost:3000",
        "http://[::1]:8080",
        "https://*.preview.shop.example",
        "https://*.preview.shop.example:8443",
        "capacitor://localhost",
        "com.example.app://callback",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        ANDROID,
    ],
)
def test_origins_of_apps_are_accepted(origin: str) -> None:
    validate_origins([origin])


@pytest.mark.parametrize(
    "origins",
    [
        "https://a.example",
        {"https://a.example": 1},
        [1],
        [None],
        ["*"],
        ["null"],
        ["http://a.example"],
        ["http://*.a.example"],
        ["https://a.example/"],
        ["https://a.example/x"],
        ["https://A.example"],
        ["https://münchen.example"],
        ["https://u@a.example"],
        ["https://a.example\n"],
        ["https://a..example"],
        ["https://a.example:443"],
        ["http://localhost:80"],
        ["https://a.example:99999"],
        ["http://localhost.evil.example"],
        ["https://*"],
        ["https://*.com"],
        ["https://*.co.uk"],
        ["https://*.github.io"],
        ["https://*.localhost"],
        ["https://a.*.example.com"],
        ["https://*a.example.com"],
        ["https://*.*.example.com"],
        ["capacitor://*.example"],
        ["file://localhost"],
        ["data://x"],
        ["javascript://x"],
        ["android:apk-key-hash:short"],
        ["android:apk-key-hash:" + "A" * 42 + "="],
        [f"https://a{number}.example" for number in range(101)],
    ],
)
def test_other_origins_are_refused(origins: object) -> None:
    with pytest.raises(ValidationError):
        validate_origins(origins)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("https://App.Example.com/", "https://app.example.com"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("app.example.com", "https://app.example.com"),
        ("https://a.example:8443/path", "https://a.example:8443"),
    ],
)
def test_a_refusal_says_what_would_be_right(written: str, right: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_origins([written])
    assert right in refused.value.messages[0]


@given(st.text(max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    try:
        validate_origins([text, f"https://{text}", f"https://*.{text}"])
    except ValidationError as refused:
        assert refused.messages


@pytest.mark.parametrize(
    ("origin", "admitted"),
    [
        ("https://a.preview.shop.example", True),
        ("https://a-1.preview.shop.example", True),
        ("https://preview.shop.example", False),
        ("https://a.b.preview.shop.example", False),
        ("https://.preview.shop.example", False),
        ("https://*.preview.shop.example", False),
        ("https://apreview.shop.example", False),
        ("http://a.preview.shop.example", False),
        ("https://a.preview.shop.example:8443", False),
        ("https://a.preview.shop.example.evil.example", False),
        ("https://evil.example/.preview.shop.example", False),
        ("https://u@a.preview.shop.example", False),
        ("null", False),
    ],
)
def test_a_star_stands_for_one_label(origin: str, admitted: bool) -> None:
    assert allowed_origins.admits(["https://*.preview.shop.example"], origin) is admitted


def preflight(origin: str, path: str = "/api/auth/request-otp") -> str | None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return Browser().options(path, headers=headers).headers.get("Access-Control-Allow-Origin")


def test_a_preflight_passes_for_listed_origins_only() -> None:
    factories.customer(allowed_origins=["https://app.example.com"])
    suspended = factories.customer(allowed_origins=["https://gone.example.com"])
    lifecycle.suspend(suspended, context=factories.context(WHO))
    assert preflight("https://app.example.com") == "https://app.example.com"
    assert preflight("https://evil.example") is None
    assert preflight("https://gone.example.com") is None
    assert preflight("null") is None


def test_an_origin_is_allowed_a_second_after_it_was_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has seen it refused lists it, and tries again. What is refused costs a process one look a second at most."""
    customer = factories.customer(allowed_origins=["https://app.example.com"])
    monkeypatch.setattr(cors, "NO_SECONDS", 9.0)
    assert preflight("https://new.example.com") is None
    factories.policy(customer, allowed_origins=["https://new.example.com"])
    with CaptureQueriesContext(connection) as asked:
        assert [preflight("https://new.example.com") for _ in range(3)] == [None] * 3
    assert not asked.captured_queries
    monkeypatch.setattr(cors, "NO_SECONDS", 0.0)  # it has passed
    assert preflight("https://new.example.com") == "https://new.example.com"
    assert preflight("https://app.example.com") is None


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/healthz", "/metrics", "/static/x.css", "/", "/admin/api/"]
)
def test_no_page_reads_anything_outside_the_api(path: str) -> None:
    """An operator's browser must not show the admin to the pages of a customer."""
    factories.customer(allowed_origins=[SHOP])
    for method in ("get", "post", "options", "head"):
        headers = {"Origin": SHOP, "Access-Control-Request-Method": "GET"}
        answer = getattr(Browser(), method)(path, headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.fixture
def shops() -> dict[str, str]:
    """Per origin, an API key of the customer that lists it."""
    customers = {origin: factories.customer(allowed_origins=[origin]) for origin in (SHOP, BANK)}
    return {origin: factories.api_key(customer)[1] for origin, customer in customers.items()}


def readable(origin: str, method: str, path: str, **headers: str) -> bool:
    sent = {"Origin": origin, **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = Browser().generic(method, path, b"{}", "application/json", headers=sent)
    return answer.headers.get("Access-Control-Allow-Origin") == origin


def test_an_answer_is_read_by_the_pages_of_its_customer_only(shops: dict[str, str]) -> None:
    """C1.5: another customer's allowed origin reads nothing here."""
    for path in ("/api/auth/request-otp", "/api/auth/login", "/api/auth/introspect"):
        assert readable(SHOP, "POST", path, X_OTP_API_Key=shops[SHOP])
        assert not readable(BANK, "POST", path, X_OTP_API_Key=shops[SHOP])


def test_the_answer_to_a_token_is_read_by_the_pages_of_its_customer_only() -> None:
    shop = factories.customer(allowed_origins=[SHOP])
    factories.customer(allowed_origins=[BANK])
    pair = factories.session(factories.user(shop))
    bearer = {"Authorization": f"Bearer {pair.access}"}
    assert readable(SHOP, "GET", "/api/auth/me", **bearer)
    assert not readable(BANK, "GET", "/api/auth/me", **bearer)
    for origin, expected in ((BANK, False), (SHOP, True)):
        answer = Browser().post(
            "/api/auth/refresh",
            json.dumps({"refresh_token": pair.refresh}),
            "application/json",
            headers={"Origin": origin},
        )
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is expected


def test_an_answer_about_no_customer_is_read_by_every_listed_page() -> None:
    """So that an app can tell a token that is not valid from a network that is away."""
    factories.customer(allowed_origins=[SHOP])
    assert readable(SHOP, "GET", "/api/auth/me", Authorization="Bearer nonsense")
    assert readable(SHOP, "GET", "/.well-known/jwks.json")
    assert not readable("https://evil.example", "GET", "/.well-known/jwks.json")


def test_an_app_may_read_how_fresh_a_proof_must_be() -> None:
    """C3.10: `max_age` stands in WWW-Authenticate."""
    factories.customer(allowed_origins=[SHOP])
    answer = Browser().get("/api/auth/me", headers={"Origin": SHOP})
    assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]


STAR = "https://*.preview.shop.example"
PREVIEW = "https://a.preview.shop.example"


def asked(origin: str | None, method: str, path: str, **headers: str) -> Mapping[str, str]:
    """The headers of the answer."""
    sent = {"Origin": origin} if origin is not None else {}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Browser(raise_request_exception=False).generic(method, path, headers={**sent, **more}).headers


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/api/files", "authorization, content-type"),
        ("PUT", "/api/files/0193/content", "authorization, content-encoding, content-type"),
        ("GET", "/api/files/0193/content", "authorization"),
        ("DELETE", "/api/files/0193", "authorization"),
        ("POST", "/api/oauth/token", "authorization, content-type"),
        ("GET", "/api/oauth/userinfo", "authorization"),
        ("GET", "/api/auth/cookie-session", "x-otp-api-key"),
        ("PATCH", "/api/auth/me", "content-type, x-csrf-token, x-request-id"),
        ("GET", "/customers/shop/.well-known/openid-configuration", "content-type"),
    ],
)
def test_a_preflight_allows_what_clients_send(method: str, path: str, headers: str) -> None:
    """Whether or not the address exists: an error answer tells an app more than a failed preflight."""
    factories.customer(allowed_origins=[SHOP])
    wanted = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": headers}
    answer = asked(SHOP, "OPTIONS", path, **wanted)
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert method in answer["Access-Control-Allow-Methods"].split(", ")
    assert set(headers.split(", ")) <= set(answer["Access-Control-Allow-Headers"].split(", "))
    assert "*" not in "".join(value for name, value in answer.items() if name.startswith("Access-Control-"))
    stranger = asked("https://evil.example", "OPTIONS", path, **wanted)
    assert not [name for name in stranger if name.startswith("Access-Control-")]


def test_a_page_reads_the_headers_of_a_file() -> None:
    """C2.3: how it is encrypted, and what it is called."""
    factories.customer(allowed_origins=[SHOP])
    exposed = asked(SHOP, "GET", "/api/auth/me")["Access-Control-Expose-Headers"].split(", ")
    assert {"Content-Encoding", "Content-Disposition", "X-Encrypted", "Retry-After"} <= set(exposed)
    assert "Set-Cookie" not in exposed


def test_an_origin_that_only_a_wildcard_admits_sends_no_cookies() -> None:
    """C3.8: cookie mode is for listed pages. Whoever puts a page under the star reads only what it asks with its own token."""
    shop = factories.customer(allowed_origins=[STAR, SHOP])
    pair = factories.session(factories.user(shop))
    bearer = {"Authorization": f"Bearer {pair.access}"}
    for origin, credentials in ((PREVIEW, None), (SHOP, "true")):
        for answer in (
            asked(origin, "OPTIONS", "/api/auth/me", Access_Control_Request_Method="GET"),
            asked(origin, "GET", "/api/auth/me", **bearer),
            asked(origin, "GET", "/api/auth/me"),
        ):
            assert answer["Access-Control-Allow-Origin"] == origin
            assert answer.get("Access-Control-Allow-Credentials") == credentials


@pytest.mark.parametrize("origin", [None, SHOP, "https://evil.example"])
def test_caches_keep_answers_to_different_origins_apart(origin: str | None) -> None:
    """`Vary: Origin`, also where there is no origin, or none that is allowed."""
    factories.customer(allowed_origins=[SHOP])
    for path in ("/api/auth/me", "/api/nowhere", "/.well-known/jwks.json", "/customers/default/.well-known/jwks.json"):
        assert "origin" in asked(origin, "GET", path)["Vary"].lower()


@pytest.mark.urls("tests.api.failing_urls")
def test_errors_are_read_by_the_pages_too() -> None:
    """So that an app can tell a mistake of its own, an outage and a bug from a network that is away."""
    factories.customer(allowed_origins=[SHOP])
    paths = ["/api/nowhere", "/api/fail/bug", "/api/fail/database", "/api/fail/rate", "/api/auth/logout"]
    for path in paths:
        assert asked(SHOP, "GET", path)["Access-Control-Allow-Origin"] == SHOP
        assert "Access-Control-Allow-Origin" not in asked("https://evil.example", "GET", path)


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "null",
            "",
            "*",
            "https://",
            "//app.shop.example",
            "http://[::1",
            "https://[",
            "https://app.shop.example:99999",
        ),
        *(
            "https://APP.shop.example",
            "https://app.shop.example.",
            "https://app.shop.example:443",
            f"{SHOP}/",
            f"{SHOP} ",
        ),
        *(
            f"{SHOP}, https://evil.example",
            f"{SHOP} https://evil.example",
            f"{SHOP}%00.evil.example",
            f"{SHOP}@evil.example",
        ),
        *("https://app.shop.example.evil.example", "https://evil-app.shop.example", f"https://evil.example/{SHOP}"),
        *("https://*.preview.shop.example", "https://a.b.preview.shop.example", "https://_.preview.shop.example"),
        *("https://a.preview.shop.example.evil.example", "https://a.preview.shop.example:8443", "x" * 8000),
        "https://\u00e4.preview.shop.example",
    ],
)
def test_no_other_origin_gets_in_however_it_is_written(origin: str) -> None:
    factories.customer(allowed_origins=[SHOP, STAR])
    for method in ("GET", "OPTIONS"):
        answer = asked(origin, method, "/api/auth/me", Access_Control_Request_Method="GET")
        assert not [name for name in answer if name.startswith("Access-Control-")]


def test_an_android_app_uses_passkeys_and_reads_nothing(client_for: MakeClient) -> None:
    shop = factories.customer(passkey_domain="shop.example", allowed_origins=[ANDROID, "https://*.shop.example"])
    client, token = client_for(shop), factories.session(factories.user(shop)).access
    assert enrol_passkey(client, token, Authenticator(origin=ANDROID)).status == 201
    for other in ("android:apk-key-hash:" + "B" * 43, "https://*.shop.example", "https://a.shop.example"):
        assert enrol_passkey(client, token, Authenticator(origin=other)).error_type == "invalid_passkey"
    assert preflight(ANDROID) is None
