"""docs/examples/sveltekit: pages that a server renders, with the session in cookies that only Gatehouse gets."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import browser
from tests.examples.serving import EXAMPLES, NODE_FOLDERS, PATIENCE, Demo, Example

EMAIL = "joan@example.com"
INSTALLED = EXAMPLES / "sveltekit" / "node_modules"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app, built once. Without what `make test` installs it is skipped, and said so; but never where CI is set."""
    if not INSTALLED.is_dir():
        reason = "SVELTEKIT NOT TESTED: it is not installed (npm ci --prefix docs/examples/sveltekit)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("sveltekit") / "app"
    shutil.copytree(INSTALLED.parent, folder, ignore=shutil.ignore_patterns("node_modules", ".svelte-kit"))
    (folder / "node_modules").symlink_to(INSTALLED)
    environment = {**os.environ, "PATH": NODE_FOLDERS, "GATEHOUSE_DEMO": os.devnull}
    done = subprocess.run(
        ["npm", "run", "build"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def sign_in(page: Page, demo: Demo) -> None:
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("The code in the mail").fill(demo.mailbox.wait_for_code(EMAIL))
    page.get_by_role("button", name="Sign in").click()


def test_sveltekit(built: Path, demo: Demo, run_example: Callable[..., Example]) -> None:
    example = run_example("sveltekit", ["npm", "run", "--silent", "start"], folder=built)
    demo.allow(example.url)
    assert "The library opens on Sundays." in httpx.get(example.url, timeout=PATIENCE).text, "without a script"
    with browser.page() as page:
        page.goto(example.url)
        sign_in(page, demo)
        expect(page.get_by_text(f"Signed in as {EMAIL}")).to_be_visible()
        page.get_by_label("Your name").fill("Joan")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Signed in as Joan")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Signed in as Joan")).to_be_visible()
        _scripts_have_no_token(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Email")).to_be_visible()
        page.reload()
        expect(page.get_by_label("Email")).to_be_visible()
        assert page.context.cookies() == []


def _scripts_have_no_token(page: Page) -> None:
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    access = cookies["__Host-gatehouse_access"]
    assert (access["httpOnly"], access["secure"], access["sameSite"]) == (True, True, "Strict")
    held = page.evaluate(
        "() => document.cookie + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})"
    )
    assert "eyJ" not in held
    assert all(cookie["value"] not in held for cookie in cookies.values() if cookie["httpOnly"])
