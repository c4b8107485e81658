"""docs/examples/django: a site whose users sign in at the hosted pages, into Django's own session."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests import browser
from tests.examples.hosted import sign_in
from tests.examples.serving import EXAMPLES, PATIENCE, Demo, Example

EMAIL = "margaret@example.com"
RUN = [sys.executable, "app.py", "runserver", "--noreload", "{port}"]


@pytest.fixture
def site(demo: Demo, tmp_path: Path) -> Path:
    """The project, with a database."""
    folder = Path(shutil.copytree(EXAMPLES / "django", tmp_path / "site", ignore=shutil.ignore_patterns("*.sqlite3")))
    environment = {**os.environ, "GATEHOUSE_DEMO": str(demo.file)}
    subprocess.run([sys.executable, "app.py", "migrate", "--verbosity=0"], cwd=folder, env=environment, check=True)
    return folder


def test_django(demo: Demo, run_example: Callable[..., Example], site: Path) -> None:
    example = run_example("django", RUN, folder=site)
    with browser.page() as page:
        page.goto(f"{example.url}/notes")  # asks for a sign-in, and is shown after it
        sign_in(page, demo, EMAIL)
        expect(page.get_by_text("Water the plants")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Water the plants")).to_be_visible()

        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        assert page.url.startswith(example.url)
        page.get_by_role("link", name="Sign in").click()
        sign_in(page, demo, EMAIL)  # signed out at the hosted pages, too

    _takes_no_answer_that_this_browser_has_not_asked_for(example)
    _comes_back_to_the_host_that_it_came_from(example)


def _takes_no_answer_that_this_browser_has_not_asked_for(example: Example) -> None:
    for query in ("code=stolen&state=of-somebody-else", "code=stolen", "error=access_denied", ""):
        answer = httpx.get(f"{example.url}/callback?{query}", timeout=PATIENCE)
        assert (answer.status_code, "Signed in" in answer.text) == (400, False), query


def _comes_back_to_the_host_that_it_came_from(example: Example) -> None:
    """To cookies, 127.0.0.1 and localhost are two sites."""
    at_address = example.url.replace("localhost", "127.0.0.1")
    led_to = httpx.get(f"{at_address}/sign-in", timeout=PATIENCE).headers["location"]
    assert parse_qs(urlsplit(led_to).query)["redirect_uri"] == [f"{at_address}/callback"]
    assert httpx.get(led_to, timeout=PATIENCE).status_code == 200
