"""Traefik and Envoy, as their configuration in docs/examples makes them ask: method, address and headers by their documentation.

nginx itself runs in test_nginx.py.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings

from apps.api.authentication.cookies import csrf_token
from apps.customers import lifecycle as customers
from apps.customers.models import Customer
from tests import factories
from tests.api.authentication.browsing import ACCESS, ORIGIN
from tests.api.forward_auth.asking import CUSTOMER, PERMISSIONS, PROXY, ROLE, TOLD, USER, Answer, Proxy, by_shortcut

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = settings.BASE_DIR / "docs" / "examples" / "forward_auth"
CLIENT = "203.0.113.9"
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade", "proxy-connection"}
Headers = Mapping[str, str]


def example(path: str) -> Any:
    return yaml.safe_load((EXAMPLES / path).read_text(encoding="utf-8"))


class Traefik:
    """pkg/middlewares/auth/forward.go: a GET of its own at the configured address, with the listed headers of the client."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.configuration = example("traefik/dynamic.yaml")["http"]["middlewares"]["gatehouse"]["forwardAuth"]

    def ask(self, method: str, path: str, headers: Headers) -> Answer:
        allowed = {name.lower() for name in self.configuration["authRequestHeaders"]}
        sent = {name: value for name, value in headers.items() if name.lower() in allowed - HOP_BY_HOP}
        assert self.configuration["trustForwardHeader"] is False
        own = {
            "X-Forwarded-For": CLIENT,
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "app.example.com",
            "X-Forwarded-Uri": path,
        }
        address = urlsplit(self.configuration["address"])
        return self.proxy.ask(f"{address.path}?{address.query}", **underscored({**sent, **own, "Host": address.netloc}))

    def lets_in(self, answer: Answer) -> bool:
        return 200 <= answer.status < 300

    def passed_on(self, headers: Headers, answer: Answer) -> dict[str, str]:
        """What the app gets: the listed headers of the answer take the place of the client's."""
        listed = self.configuration["authResponseHeaders"]
        lowered = {name.lower() for name in listed}
        kept = {name: value for name, value in headers.items() if name.lower() not in lowered}
        return {**kept, **{name: answer.headers[name] for name in listed if name in answer.headers}}


class Envoy:
    """ext_authz_http_impl.cc: the client's own method and path behind the prefix, no body, the listed headers."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        (listener,) = example("envoy/envoy.yaml")["static_resources"]["listeners"]
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        self.filters = {each["name"].rpartition(".")[2]: each["typed_config"] for each in manager["http_filters"]}
        self.order = list(self.filters)
        self.ext_authz = self.filters["ext_authz"]

    def ask(self, method: str, path: str, headers: Headers) -> Answer:
        listed = {each["exact"] for each in self.ext_authz["allowed_headers"]["patterns"]}
        sent = {name: value for name, value in headers.items() if name.lower() in {*listed, "authorization"}}
        own = {"X-Forwarded-For": f"{CLIENT},{self.proxy.address}", "X-Forwarded-Proto": "https"}
        target = self.ext_authz["http_service"]["path_prefix"] + path
        sent |= {"Host": "app.example.com", "Content-Length": "0", "X-Envoy-Internal": "true"}
        return self.proxy.ask(target, method=method, **underscored({**sent, **own}))

    def lets_in(self, answer: Answer) -> bool:
        return answer.status == 200

    def passed_on(self, headers: Headers, answer: Answer) -> dict[str, str]:
        """What the app gets: first the client's headers are removed, then those of the answer set."""
        assert self.order.index("header_mutation") < self.order.index("ext_authz") < self.order.index("router")
        mutations = self.filters["header_mutation"]["mutations"]["request_mutations"]
        removed = {each["remove"] for each in mutations}
        listed = self.ext_authz["http_service"]["authorization_response"]["allowed_upstream_headers"]["patterns"]
        kept = {name: value for name, value in headers.items() if name.lower() not in removed}
        allowed = {each["exact"] for each in listed}
        return {**kept, **{name: value for name, value in answer.headers.items() if name.lower() in allowed}}


def underscored(headers: Headers) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


Kind = type[Traefik] | type[Envoy]


@pytest.fixture(params=[Traefik, Envoy])
def front(request: pytest.FixtureRequest, settings: Any) -> Traefik | Envoy:
    settings.TRUSTED_PROXIES = [PROXY]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^verify(/|$)"]
    made: Traefik | Envoy = request.param(by_shortcut())
    return made


@pytest.fixture
def acme() -> Customer:
    """The customer of the examples."""
    customer = factories.customer(slug="acme", allowed_origins=[ORIGIN])
    factories.role(customer, "clerk", "invoices.read")
    return customer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_examples_let_in_whom_they_say(front: Traefik | Envoy, acme: Customer) -> None:
    clerk, guest = factories.user(acme, role="clerk"), factories.user(acme, "guest@example.com")
    stranger = factories.user(factories.customer(), "eve@example.com")
    answer = front.ask("GET", "/invoices?customer=other", bearer(factories.session(clerk).access))
    assert front.lets_in(answer)
    assert answer.told == {
        USER: str(clerk.id),
        CUSTOMER: str(acme.id),
        ROLE: "clerk",
        PERMISSIONS: "invoices.read",
    }
    assert not front.lets_in(nobody := front.ask("GET", "/invoices", {}))
    assert nobody.error == (401, "authentication_required")
    assert front.ask("GET", "/", bearer(factories.session(guest).access)).error == (403, "permission_denied")
    assert front.ask("GET", "/", bearer(factories.session(stranger).access)).error == (401, "invalid_token")


def test_whatever_the_client_makes_up_never_reaches_the_app(front: Traefik | Envoy, acme: Customer) -> None:
    """Under the names as they are; underscores and dots end at the proxy (see its configuration)."""
    guest = factories.user(acme, "guest@example.com", role="clerk")
    made_up = {name.lower(): "11111111-1111-7111-8111-111111111111" for name in TOLD}
    headers = {**bearer(factories.session(guest).access), **made_up}
    answer = front.ask("GET", "/invoices", headers)
    got = front.passed_on(headers, answer)
    assert {name: got[name] for name in TOLD} == answer.told
    assert not set(made_up.values()) & set(got.values())


def test_nothing_of_the_clients_own_address_is_a_demand(front: Traefik | Envoy, acme: Customer) -> None:
    """Neither its query, nor its path, however it is written: a proxy may pass on what it has not normalised."""
    stranger = bearer(factories.session(factories.user(factories.customer(), "eve@example.com")).access)
    clerk = bearer(factories.session(factories.user(acme, role="clerk")).access)
    for path in (
        "/?customer=*",
        "/../customer=*/",
        "/..%2fcustomer=*/x",
        "/%2e%2e/customer=*/",
        "//customer=*/",
        "/verify/customer=*/",
        "/&customer=*",
        "/;customer=*",
        "/%00",
        "/%ff?%ff",
        "/" + "x" * 4000,
        "/*",
    ):
        assert front.ask("GET", path, stranger).error == (401, "invalid_token"), path
        assert front.lets_in(front.ask("GET", path, clerk)), path


def test_any_method_of_the_client_is_asked_about(front: Traefik | Envoy, acme: Customer) -> None:
    clerk = bearer(factories.session(factories.user(acme, role="clerk")).access)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE"):
        assert front.lets_in(front.ask(method, "/invoices", clerk)), method
        assert not front.lets_in(front.ask(method, "/invoices", {}))


def test_a_preflight_is_no_way_in(front: Traefik | Envoy, acme: Customer) -> None:
    """It bears neither token nor cookie. An app that other origins' pages call answers it before it asks."""
    asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    refused = front.ask("OPTIONS", "/invoices", asking)
    assert refused.error == (401, "authentication_required")
    assert acme.slug == "acme"


def test_the_clients_address_is_the_one_that_the_proxy_saw(front: Traefik | Envoy, acme: Customer) -> None:
    """C1.6: the customer's allowlist binds its tokens; what the client says of its address does not count."""
    factories.policy(acme, enforce_allowlist_on_tokens=True)
    clerk = bearer(factories.session(factories.user(acme, role="clerk")).access)
    allow(acme, f"{CLIENT}/32")
    assert front.lets_in(front.ask("GET", "/", {**clerk, "X-Forwarded-For": "198.51.100.1"}))
    allow(acme, "198.51.100.0/24")
    assert front.ask("GET", "/", {**clerk, "X-Forwarded-For": "198.51.100.1"}).error == (403, "ip_not_allowed")


def allow(customer: Customer, network: str) -> None:
    customers.replace_allowlist(customer=customer, networks={network: ""}, context=factories.context(factories.ACTOR))


def test_cookies_keep_their_rule(front: Traefik | Envoy, acme: Customer) -> None:
    pair = factories.session(factories.user(acme, role="clerk"), delivery="cookie")
    headers = {"Cookie": f"{ACCESS}={pair.access}"}
    assert front.lets_in(front.ask("GET", "/", headers))
    assert front.ask("POST", "/", headers).error == (403, "csrf_failed")
    assert front.ask("POST", "/", {**headers, "X-Forwarded-Method": "GET"}).error == (403, "csrf_failed")
    proof = {"X-CSRF-Token": csrf_token(pair.session_id), "Origin": ORIGIN}
    assert front.lets_in(front.ask("POST", "/", {**headers, **proof}))
