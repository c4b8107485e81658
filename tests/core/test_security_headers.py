"""What protects browsers stands in every answer, whatever made it: each kind of answer against one table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from django.contrib.auth.models import User as Operator
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.failing_urls")]
HSTS = "max-age=31536000; includeSubDomains; preload"
ORIGIN = "https://app.example.com"
NOTHING = "'none'"
PARAMETERS = {"slug": "default", "name": "denied", "colour": "336699", "content_type_id": "1"}


@dataclass(frozen=True)
class Kind:
    """What one kind of answer bears, beside what all bear. `policy`: of these directives; the others must not be there."""

    policy: Mapping[str, str] = field(default_factory=dict)
    cache: str = "no-store"
    referrer: str = "same-origin"
    resource: str = "same-origin"


ANY: Mapping[str, str] = {"default-src": NOTHING, "form-action": "'self'"}
DATA = Kind(ANY)
KEPT = Kind(ANY, cache="public")
PUBLISHED = Kind(ANY, cache="public", resource="cross-origin")  # public keys, and where they are
FILE = Kind(ANY, cache="max-age")
MODULE = Kind(ANY, cache="max-age", resource="cross-origin")
FRONT = Kind({**ANY, "style-src": "'self'", "img-src": "'self'"})
HOSTED = Kind(
    {**ANY, **dict.fromkeys(("style-src", "script-src", "connect-src", "img-src"), "'self'")},
    referrer="no-referrer",
)
DOCUMENTATION = Kind(
    {
        **ANY,
        **dict.fromkeys(("script-src", "connect-src", "img-src", "style-src"), "'self'"),
        "form-action": "'none'",
    }
)
ADMIN = Kind(
    {
        "default-src": "'self'",
        "form-action": "'self'",
        "script-src": "'self' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
    }
)
PREFIXES = {
    "/admin/": ADMIN,
    "/account/": HOSTED,
    "/sign-in/": HOSTED,
    "/sign-out/": HOSTED,
    "/api/docs": DOCUMENTATION,
    "/api/oauth/logout": HOSTED,
    "/brand/": KEPT,
    "/.well-known/": PUBLISHED,
    "/customers/default/": PUBLISHED,
}


def kind_of(path: str) -> Kind:
    if path == "/":
        return FRONT
    return next((kind for prefix, kind in PREFIXES.items() if path.startswith(prefix)), DATA)


@pytest.fixture(autouse=True)
def as_in_production(settings: Settings) -> None:
    """Only what concerns the headers: https, and what is said of it."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False


def ask(
    path: str, *, browser: Client | None = None, method: str = "GET", secure: bool = True, **headers: str
) -> HttpResponse:
    """The answer, and its file closed."""
    asking = browser or Client(raise_request_exception=False)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: HttpResponse = asking.generic(method, path, headers=sent, secure=secure)
    answer.close()
    return answer


def wrong(answer: Mapping[str, str], kind: Kind, *, secure: bool = True) -> list[str]:
    """Each header of this answer that is not as the table says."""
    policy = dict(part.strip().partition(" ")[::2] for part in answer.get("Content-Security-Policy", "").split(";"))
    expected = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": kind.referrer,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": kind.resource,
        "Strict-Transport-Security": HSTS if secure else None,
    }
    found = {name: f"{name}: {answer.get(name)}" for name, value in expected.items() if answer.get(name) != value}
    if kind.cache not in answer.get("Cache-Control", ""):
        found["Cache-Control"] = f"Cache-Control: {answer.get('Cache-Control')}"
    if not {"camera=()", "payment=()"} <= set(answer.get("Permissions-Policy", "").split(", ")):
        found["Permissions-Policy"] = "Permissions-Policy"
    if policy != {**kind.policy, "frame-ancestors": NOTHING, "base-uri": NOTHING}:
        found["Content-Security-Policy"] = f"Content-Security-Policy: {policy}"
    return list(found.values())


def routes(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """One address of every pattern of the service."""
    for pattern in patterns:
        part = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + part)
        else:
            yield before + filled_in(pattern, part)


def filled_in(pattern: URLPattern, part: str) -> str:
    if "(?P" in part:
        return {"brand-stylesheet": "brand/336699.css"}.get(str(pattern.name), "nothing-like-this")
    for name, converter in pattern.pattern.converters.items():
        value = str(uuid4()) if "UUID" in type(converter).__name__ else PARAMETERS.get(name, "1")
        part = part.replace(f"<{_written(part, name)}>", value)
    return part


def _written(part: str, name: str) -> str:
    """A parameter as the pattern has it: `slug:slug`, or `name` alone."""
    return next(each for each in part.replace("<", ">").split(">") if each == name or each.endswith(f":{name}"))


ADDRESSES = sorted({*routes(get_resolver("config.urls").url_patterns)})


def test_the_addresses_are_found() -> None:
    assert len([path for path in ADDRESSES if path.startswith("/api/")]) > 30
    assert len([path for path in ADDRESSES if path.startswith("/admin/")]) > 50
    assert {"/", "/healthz", "/customers/default/.well-known/jwks.json"} <= set(ADDRESSES)


@pytest.mark.parametrize("kind", ["api", "admin", "others"])
def test_every_address_of_the_service(kind: str) -> None:
    """As anybody may call it: what answers, refuses, redirects, and does not take the method."""
    mine = [path for path in ADDRESSES if part_of(path) == kind]
    browser, found = Client(raise_request_exception=False), {}
    for path in mine:
        answer = ask(path, browser=browser)
        if faults := wrong(answer.headers, kind_of(path)):
            found[f"{answer.status_code} {path}"] = faults
    assert found == {}


def part_of(path: str) -> str:
    return next((name for name in ("api", "admin") if path.startswith(f"/{name}/")), "others")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/nowhere", 404, DATA),
        ("/api/nowhere", 404, DATA),
        ("/static/nowhere.js", 404, DATA),
        ("/admin/nowhere/", 302, ADMIN),
        ("/account/nowhere/at-all", 404, HOSTED),
        ("/api/fail/bug", 500, DATA),
        ("/fail/bug", 500, DATA),
        ("/admin/fail/bug", 500, ADMIN),
        ("/api/fail/database", 503, DATA),
        ("/api/fail/nul", 400, DATA),
        ("/fail/denied", 403, DATA),
        ("/fail/suspicious", 400, DATA),
        ("/static/portal/page.css", 200, FILE),
        ("/static/portal/gate.svg", 200, FILE),
        ("/static/admin/js/core.js", 200, FILE),
        ("/static/gatehouse/gatehouse.js", 200, MODULE),
        ("/static/gatehouse/package.json", 200, FILE),
        ("/customers/nobody/.well-known/jwks.json", 404, Kind(ANY, resource="cross-origin")),
    ],
)
def test_errors_and_files(path: str, status: int, kind: Kind) -> None:
    answer = ask(path)
    assert answer.status_code == status
    assert wrong(answer.headers, kind) == []


def test_what_is_answered_before_any_view() -> None:
    """A preflight, a method that nothing takes, a redirect to https, a refused host."""
    factories.customer(allowed_origins=[ORIGIN])
    preflight = ask("/api/auth/login", method="OPTIONS", Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert preflight["Access-Control-Allow-Origin"] == ORIGIN
    assert wrong(preflight.headers, DATA) == []
    not_taken = ask("/", method="BREW")
    assert not_taken.status_code == 405
    assert wrong(not_taken.headers, FRONT) == []
    to_https = ask("/account/default/reset-password", secure=False)
    assert (to_https.status_code, to_https["Location"]) == (301, "https://testserver/account/default/reset-password")
    refused = ask("/api/auth/me", secure=False, Host="evil.example")
    assert refused.status_code == 400
    for answer in (to_https, refused):
        assert wrong(answer.headers, DATA, secure=False) == []  # HSTS is not said without TLS (RFC 6797 section 7.2)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "TRACE", "BREW"])
def test_other_methods(method: str) -> None:
    """Also where nothing answers to them."""
    for path in ("/api/auth/me", "/api/nowhere", "/healthz", "/static/portal/page.css", "/", "/account/default"):
        answer = ask(path, method=method)
        assert wrong(answer.headers, FILE if answer.status_code == 200 and "css" in path else kind_of(path)) == [], path


def test_what_a_part_of_the_chain_refuses() -> None:
    """The admin's CSRF check answers before any view, and an error in the chain is answered within it."""
    refused = ask("/admin/login/", browser=Client(enforce_csrf_checks=True), method="POST")
    assert (refused.status_code, wrong(refused.headers, ADMIN)) == (403, [])
    unusable = ask("/%2f%2fevil.example/%00", Host="testserver:x", secure=False)
    assert (unusable.status_code, wrong(unusable.headers, DATA, secure=False)) == (400, [])


def test_probes_need_no_tls_and_only_they() -> None:
    """A prober speaks to the process itself, by its address: neither the redirect nor the host's name may stop it."""
    for path, status in (("/healthz", 200), ("/healthz/", 301), ("/healthcheck", 301), ("/api/healthz", 301)):
        assert ask(path, secure=False).status_code == status
    assert ask("/healthz", secure=False, Host="10.1.2.3:8000").status_code == 200


def test_pages_of_a_signed_in_operator() -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(Operator.objects.create_superuser("grace@example.com", password="irrelevant here"))
    for path, status in (("/admin/", 200), ("/admin/customers/customer/", 200), ("/admin/nowhere/", 404)):
        answer = ask(path, browser=browser)
        assert answer.status_code == status
        assert wrong(answer.headers, ADMIN) == []


def test_pages_of_other_origins_load_the_module_and_nothing_else() -> None:
    """A page imports it by CORS, without credentials. Nothing else here is for other origins' pages."""
    module = ask("/static/gatehouse/gatehouse.js", Origin="https://anywhere.example")
    assert module["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in module
    assert module["Content-Type"].startswith("text/javascript")
    for path in (
        "/static/portal/page.css",
        "/static/portal/page.js",
        "/static/gatehouse/package.json",
        "/static/gatehouse/nowhere.js",
        "/static/admin/js/core.js",
        "/static/api/docs.js",
        "/healthz",
        "/",
    ):
        answer = ask(path, Origin="https://anywhere.example")
        assert "Access-Control-Allow-Origin" not in answer, path
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
