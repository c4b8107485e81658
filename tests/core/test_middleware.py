"""The headers of every answer, and the work that only the operators' admin does."""

import re
from typing import NoReturn

import pytest
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth.models import User as Operator
from django.core.management import call_command
from django.test import Client
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
PATHS = ["/api/auth/me", "/api/nowhere", "/nowhere", "/healthz", "/.well-known/jwks.json", "/api/docs", "/admin/login/"]


def policy(path: str) -> dict[str, str]:
    """The content security policy of a path, by directive."""
    text = Client().get(path)["Content-Security-Policy"]
    return {name: values for name, _, values in (part.strip().partition(" ") for part in text.split(";")) if name}


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_bears_its_request_id_and_protects_browsers(path: str) -> None:
    answer = Client().get(path)
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_a_callers_request_id_is_kept() -> None:
    assert Client().get("/healthz", headers={"X-Request-ID": "trace-0815"})["X-Request-ID"] == "trace-0815"


@pytest.mark.parametrize("path", ["/api/auth/me", "/api/nowhere", "/admin/login/"])
def test_answers_of_api_and_admin_are_never_stored(path: str) -> None:
    """C5: authenticated answers bear `Cache-Control: no-store`, and so does whatever stands beside them."""
    assert "no-store" in Client().get(path)["Cache-Control"]


@pytest.mark.parametrize("path", ["/api/auth/me", "/nowhere", "/healthz"])
def test_what_is_no_page_may_load_nothing(path: str) -> None:
    assert policy(path)["default-src"] == "'none'"
    assert "script-src" not in policy(path)


def test_only_the_admin_may_evaluate_scripts() -> None:
    """django-unfold needs it; nothing else does."""
    assert policy("/admin/login/")["script-src"] == "'self' 'unsafe-eval'"
    for path in PATHS[:-1]:
        assert "unsafe-eval" not in str(policy(path))


def test_the_documentation_loads_scripts_from_here_alone() -> None:
    """C4: interactive, no CDN."""
    assert policy("/api/docs")["script-src"] == "'self'"
    page = Client().get("/api/docs").content.decode()
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "<script>" not in page


def test_the_schema_is_public_and_openapi_3_1() -> None:
    assert Client().get("/api/schema").json()["openapi"].startswith("3.1")


def test_api_requests_know_nothing_of_operators() -> None:
    """Neither session nor user: no cookie read, no query, and an operator's login is worth nothing there."""
    client = Client()
    client.force_login(Operator.objects.create_superuser("grace@example.com", password="irrelevant here"))
    with counted() as cost:
        answer = client.get("/api/auth/me")
    assert answer.status_code == 401
    assert cost.statements == []
    assert not answer.cookies
    assert not hasattr(answer.wsgi_request, "session")
    assert getattr(answer.wsgi_request, "user", None) is None


def test_the_admin_demands_a_csrf_token_and_the_api_does_not() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 403
    assert client.post("/api/auth/logout", content_type="application/json").status_code == 401


def test_django_is_content_with_the_middleware() -> None:
    """Except admin.E408 to E410, which cannot see what AdminMiddleware adds: the next test covers that."""
    call_command("check", fail_level="WARNING")


def test_everything_of_django_that_only_operators_need_acts_under_admin_alone() -> None:
    """A part added to the settings as it comes from Django would run for every API request."""
    for_operators = ("Session", "Csrf", "Authentication", "OTP", "Message")
    assert [path for path in settings.MIDDLEWARE if any(part in path for part in for_operators)] == []
    page, answer = Client().get("/admin/login/").wsgi_request, Client().get("/healthz").wsgi_request
    for name in ("session", "user", "_messages", "otp_device"):
        assert not hasattr(answer, name)
        assert hasattr(page, name) or (name == "otp_device" and hasattr(page.user, "is_verified"))


def test_an_api_request_passes_few_steps() -> None:
    """What each of them costs is paid by every request. The last three look at the address, and let it pass."""
    assert [path.rpartition(".")[2].removesuffix("Middleware") for path in settings.MIDDLEWARE] == [
        *("RequestLog", "HoldBack", "SecurityHeaders", "Language", "Https"),
        *("StaticFiles", "CustomersCors", "RefuseWhatCannotBeStored", "Admin"),
    ]


def test_what_pages_need_does_not_run_for_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is a file looked for, nor asked whether an origin is allowed that is not there, nor a cookie read."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(WhiteNoiseMiddleware, "find_file", fail)
    monkeypatch.setattr(CorsMiddleware, "is_enabled", fail)
    browser = Client()
    browser.cookies["django_language"] = "de"
    for path in ("/healthz", "/api/nowhere", "/nowhere"):
        request = browser.get(path).wsgi_request
        assert "COOKIES" not in vars(request)
        assert "headers" not in vars(request)


def test_the_admin_is_found_without_its_slash() -> None:
    answer = Client().get("/admin")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
