"""C1.2: a new key or secret is shown once, after a redirect. Loading a page again makes nothing and shows nothing."""

import re
import shlex
import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from apps.api_keys.models import ApiKey
from apps.operators import tasks
from apps.operators.models import KeptSecret, OperatorSession
from apps.operators.sign_in.session_store import SessionStore
from tests import factories, races
from tests.operators.enrolling import PAGE, app_of, code_of
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
ADD_KEY = "/admin/api_keys/apikey/add/"
KEY = re.compile(r"ghk_(?:live|test)_\w{62}")


def key_form(**values: object) -> dict[str, object]:
    return {"customer": factories.customer().id, "name": "Web", "environment": "live", "scopes": ["auth"], **values}


def made(browser: Client, **values: object) -> str:
    """The address of the page that will show a new key."""
    answer = browser.post(ADD_KEY, key_form(**values))
    assert answer.status_code == 302
    assert not KEY.search(answer.content.decode() + answer.headers["Location"])
    return answer.headers["Location"]


def new_client(browser: Client) -> tuple[str, dict[str, object]]:
    form = {
        "customer": factories.customer().id,
        "name": "App",
        "confidential": "on",
        "redirect_uris": factories.REDIRECT_URI,
        "scopes": ["openid"],
    }
    return "/admin/oauth/registeredclient/add/", form


def rotated_key(browser: Client) -> tuple[str, dict[str, object]]:
    row, _ = factories.api_key(factories.customer())
    return f"/admin/api_keys/apikey/{row.id}/rotate/", {"hours": 1}


def rotated_client(browser: Client) -> tuple[str, dict[str, object]]:
    row, _ = factories.oauth_client(factories.customer(), is_confidential=True)
    return f"/admin/oauth/registeredclient/{row.id}/rotate-secret/", {"hours": 1}


def check_secret(browser: Client) -> tuple[str, dict[str, object]]:
    return f"/admin/customers/customer/{factories.customer().id}/identity-check-secret/", {}


def recovery_codes(browser: Client) -> tuple[str, dict[str, object]]:
    browser.get(PAGE)
    device = app_of(operator("second@example.com"), confirmed=False)
    browser.force_login(device.user)
    return PAGE, {"code": code_of(device)}


@pytest.mark.parametrize(
    "ready",
    [
        lambda browser: (ADD_KEY, key_form()),
        rotated_key,
        new_client,
        rotated_client,
        check_secret,
        recovery_codes,
    ],
    ids=["key", "rotated key", "client", "rotated client", "check secret", "recovery codes"],
)
def test_every_new_secret_is_shown_once_after_a_redirect(
    browser: Client, ready: Callable[[Client], tuple[str, dict[str, object]]]
) -> None:
    path, form = ready(browser)
    answer = browser.post(path, form)
    assert answer.status_code == 302
    shown_at = answer.headers["Location"]
    assert shown_at.startswith("/admin/shown-once/")
    first = browser.get(shown_at)
    assert first.status_code == 200
    assert "no-store" in first.headers["Cache-Control"]
    page = re.search(r'id="shown-once"[^>]*>(.*?)</(?:code|ul)>', first.content.decode(), re.DOTALL)
    assert page
    secret = re.sub(r"<[^>]+>", " ", page[1]).split()[0]
    assert len(secret) >= 19
    again = browser.get(shown_at)
    assert again.status_code == 410
    assert secret not in again.content.decode()
    assert "no-store" in again.headers["Cache-Control"]


def test_a_page_loaded_again_makes_no_second_key(browser: Client) -> None:
    shown_at = made(browser)
    for _ in range(3):
        browser.get(shown_at)
    assert ApiKey.objects.exclude(name="default").filter(name="Web").count() == 1


def test_nothing_that_is_kept_can_be_read(browser: Client) -> None:
    """C2.4: neither the table nor the session nor the address has the key."""
    shown_at = made(browser)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM operators_keptsecret t")
        kept = cursor.fetchone()[0]
    key = KEY.search(browser.get(shown_at).content.decode())
    assert key
    sessions = " ".join(str(SessionStore().decode(session.session_data)) for session in OperatorSession.objects.all())
    for place in (kept, sessions, shown_at):
        assert key[0] not in place
        assert key[0][-40:] not in place
    assert browser.session.session_key not in kept
    assert not KeptSecret.objects.exists()


def test_only_the_session_that_made_it_sees_it(browser: Client) -> None:
    shown_at = made(browser)
    operator("other@example.com")
    for stranger in (sign_in("other@example.com"), sign_in("ops@example.com")):
        assert stranger.get(shown_at).status_code == 410
    assert Client().get(shown_at).status_code == 302
    assert KEY.search(browser.get(shown_at).content.decode()), "nobody has used it up"


def test_asking_for_headers_does_not_use_it_up(browser: Client) -> None:
    shown_at = made(browser)
    for ask in (browser.head, browser.post, browser.delete):
        assert ask(shown_at).status_code == 405
    assert KEY.search(browser.get(shown_at).content.decode())


def test_of_many_pages_at_once_one_shows_it(browser: Client) -> None:
    shown_at, cookies = made(browser), browser.cookies

    def look(_number: int) -> int:
        tab = Client()
        tab.cookies = cookies
        return tab.get(shown_at).status_code

    assert sorted(races.at_once(8, look)) == [200, *[410] * 7]


def test_it_waits_for_five_minutes(browser: Client) -> None:
    shown_at = made(browser)
    KeptSecret.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert browser.get(shown_at).status_code == 410
    assert tasks.remove_expired() == 1
    assert not KeptSecret.objects.exists()


def test_one_that_was_moved_or_altered_is_not_shown(browser: Client) -> None:
    first, second = made(browser), made(browser)
    rows = {str(row.id): row.content for row in KeptSecret.objects.all()}
    one, other = (path.split("/")[-2] for path in (first, second))
    KeptSecret.objects.filter(id=one).update(content=rows[other])
    browser.raise_request_exception = False
    assert not KEY.search(browser.get(first).content.decode())
    assert KEY.search(browser.get(second).content.decode())


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, 400),
        ({"environment": "test"}, 200),
        ({"scopes": ["tokens:introspect"]}, 200),
        ({"scopes": ["internal"]}, 404),
        ({"scopes": ["tokens:revoke"]}, 200),
    ],
)
def test_the_command_beside_it_uses_it(
    browser: Client, live_server: LiveServer, settings: object, values: dict[str, object], status: int
) -> None:
    """As it stands, run by a shell. Nothing is 401, which a wrong key would be."""
    settings.PUBLIC_URL = live_server.url  # type: ignore[attr-defined]
    page = browser.get(made(browser, **values))
    command = str(page.context["command"])
    assert shlex.split(command)[0] == "curl"

    def answer(text: str) -> str:
        return subprocess.run(text, shell=True, capture_output=True, check=True, text=True).stdout  # noqa: S602

    assert answer(command).splitlines()[0].split()[1] == str(status)
    key = str(page.context["shown"])
    assert answer(command.replace(key, key[:-1] + ("0" if key[-1] != "0" else "1"))).splitlines()[0].split()[1] == "401"
