"""docs/examples/express: an app whose users sign in at the hosted pages, and that keeps and refreshes the tokens."""

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from apps.tokens import sessions
from apps.tokens.models import EndReason, RefreshToken, Session
from apps.users.models import User
from tests import browser, factories
from tests.examples.hosted import sign_in
from tests.examples.serving import EXAMPLES, PATIENCE, Demo, Example
from tests.payloads.test_node_interop import INTEROP, node  # noqa: F401  (a fixture)

EMAIL = "radia@example.com"


@pytest.fixture
def app(node: str, tmp_path: Path) -> Path:  # noqa: F811
    """The app beside what it stands on."""
    folder = Path(
        shutil.copytree(EXAMPLES / "express", tmp_path / "app", ignore=shutil.ignore_patterns("node_modules"))
    )
    (folder / "node_modules").symlink_to(INTEROP / "node_modules")
    return folder


def test_express(demo: Demo, run_example: Callable[..., Example], app: Path) -> None:
    example = run_example("express", ["npm", "run", "--silent", "start"], folder=app)
    with browser.page() as page:
        page.goto(example.url.replace("localhost", "127.0.0.1"))  # leads to the one host that its session is of
        page.get_by_role("link", name="Sign in").click()
        sign_in(page, demo, EMAIL)
        _refreshes(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        page.get_by_role("link", name="Sign in").click()
        sign_in(page, demo, EMAIL)  # signed out at the hosted pages, too
        _is_over_when_the_session_is(page)
    _takes_no_answer_that_this_browser_has_not_asked_for(example)
    _two_tabs_sign_in_side_by_side(demo, example)


def _refreshes(page: Page) -> None:
    before = page.get_by_role("time").inner_text()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("time")).not_to_have_text(before)
    session = Session.objects.get(user__email=EMAIL, delivery="body")
    assert RefreshToken.objects.filter(session=session).count() == 2


def _is_over_when_the_session_is(page: Page) -> None:
    user = User.objects.get(email=EMAIL)
    sessions.end_all(
        customer_id=user.customer_id, user_id=user.id, reason=EndReason.OPERATOR, context=factories.context()
    )
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def _takes_no_answer_that_this_browser_has_not_asked_for(example: Example) -> None:
    for query in ("code=stolen&state=of-somebody-else", "error=access_denied", ""):
        answer = httpx.get(f"{example.url}/callback?{query}", timeout=PATIENCE)
        assert (answer.status_code, "Signed in" in answer.text) == (400, False), query


def _two_tabs_sign_in_side_by_side(demo: Demo, example: Example) -> None:
    """The second does not take away what the first has begun with."""
    with httpx.Client(base_url=example.url, timeout=PATIENCE) as tabs:
        first, _second = (parse_qs(urlsplit(tabs.get("/sign-in").headers["location"]).query) for _ in range(2))
        answer = tabs.get(
            "/callback", params={"code": "wrong", "state": first["state"][0], "iss": demo.facts["issuer"]}
        )
        assert answer.status_code == 401
