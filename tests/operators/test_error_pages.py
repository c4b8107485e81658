"""What goes wrong in the admin is said in the admin's clothes: a page with a landmark, a heading, a way back, and the id of the request."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from tests.operators.signing_in import LOGIN, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
MANY_FIELDS = {f"field{number}": "" for number in range(2000)}


def is_dressed(answer: HttpResponse) -> bool:
    page = answer.content.decode()
    parts = ("<main", "<h1", 'href="/admin/"', answer.headers["X-Request-ID"])
    return answer.headers["Content-Type"].startswith("text/html") and all(part in page for part in parts)


def test_the_address_without_its_slash_leads_in() -> None:
    answer = Client().get("/admin")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_every_error_has_a_page() -> None:
    operator()
    inside = sign_in()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    outsider = operator("viewer@example.com", is_superuser=False)
    viewer = Client()
    viewer.force_login(outsider)
    answers = {
        404: inside.get("/admin/nothing/here/"),
        403: viewer.get("/admin/audit/event/verification/"),
        400: inside.post("/admin/auth/user/add/", MANY_FIELDS),
    }
    for status, answer in answers.items():
        assert (answer.status_code, is_dressed(answer)) == (status, True)
    forged = strict.post("/admin/users/user/add/", {})
    assert (forged.status_code, is_dressed(forged)) == (403, True)
    german = inside.get("/admin/nothing/here/", headers={"accept-language": "de"}).content.decode()
    assert "Zur Übersicht" in german
    assert 'lang="de"' in german


@pytest.fixture
def without_figures() -> Iterator[None]:
    """As after a restored backup that lacks a table."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE figures_hourlyfigure RENAME TO figures_elsewhere")
        yield
        cursor.execute("ALTER TABLE figures_elsewhere RENAME TO figures_hourlyfigure")


@pytest.mark.usefixtures("without_figures")
def test_what_fails_inside_is_told_without_its_reason() -> None:
    operator()
    inside = sign_in()
    inside.raise_request_exception = False
    answer = inside.get("/admin/")
    assert (answer.status_code, is_dressed(answer)) == (500, True)
    assert "figures_hourlyfigure" not in answer.content.decode()


def test_too_many_attempts_are_told_on_the_form() -> None:
    operator()
    guesser = Client()
    form = {"username": "ops@example.com", "password": "a guess", "code": "", "next": "/admin/"}
    for _ in range(30):
        answer = guesser.post(LOGIN, form)
    page = answer.content.decode()
    assert "Too many attempts" in page
    assert "<main" in page
