"""The language of an answer is that of its own request, whatever the thread has answered before."""

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
ENGLISH, GERMAN = "Please sign in", "Bitte melden Sie sich an"


def said_in(accept_language: str | None, path: str = "/api/auth/me", **more: str) -> tuple[str, str]:
    """The message, and the language that the answer says it is in."""
    headers = {} if accept_language is None else {"Accept-Language": accept_language}
    answer = Client(raise_request_exception=False).get(path, headers={**headers, **more})
    return answer.json()["error"]["message"], answer["Content-Language"]


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("DE", "de"),
        ("fr, de;q=0.5", "de"),
        ("en-GB, de;q=0.9", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("*, de;q=0.5", "en"),
        ("de;q=0", "en"),
        ("de;q=0, *", "en"),
        ("", "en"),
        (None, "en"),
        ("de;;", "en"),
        ("de;q=x", "en"),
        ("\0", "en"),
        ("../de", "en"),
        ("de," * 3000, "de"),
        ("x" * 9000, "en"),
    ],
)
def test_a_message_is_in_the_language_that_is_asked_for(accept_language: str | None, language: str) -> None:
    """RFC 9110 section 12.5.4. What cannot be read counts as nothing."""
    for _ in range(2):  # read, and remembered
        message, said = said_in(accept_language)
        assert said == language
        assert message.startswith({"en": ENGLISH, "de": GERMAN}[language])


def test_no_language_is_left_for_the_next_request() -> None:
    """This test client answers all requests in one thread, as a server's thread does."""
    factories.customer()
    english, german = said_in(None)[0], said_in("de")[0]
    assert english != german
    assert said_in(None)[0] == english
    page = Client().get("/account/default/forgot-password?ui_locales=de")  # a page that chooses its language by itself
    assert page["Content-Language"] == "de"
    assert said_in(None)[0] == english
    assert Client().get("/sign-in/nobody", headers={"Accept-Language": "de"}).status_code == 404
    assert said_in(None, "/nowhere")[1] == "en"


def test_what_is_answered_before_any_view_is_in_the_language_of_its_request(settings: object) -> None:
    """A refused host, whose answer is made by the outermost part of the chain."""
    settings.SECURE_SSL_REDIRECT = True  # type: ignore[attr-defined]
    english = said_in(None, Host="evil.example")[0]
    assert said_in("de", Host="evil.example")[0] != english
    assert said_in(None, Host="evil.example")[0] == english


def test_caches_keep_languages_apart_but_one_of_each_file() -> None:
    for path in ("/api/auth/me", "/", "/.well-known/jwks.json", "/nowhere"):
        assert "Accept-Language" in Client().get(path)["Vary"]
    file = Client().get("/static/portal/page.css")
    assert "Accept-Language" not in file.get("Vary", "")
    assert "Content-Language" not in file
    file.close()
