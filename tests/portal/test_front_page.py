"""The bare address of the service leads on."""

import re
from itertools import product

import pytest
from django.test import Client as Browser

from tests import browser, factories

pytestmark = pytest.mark.django_db(transaction=True)

WAYS = ["/admin/", "/api/docs", "/healthz"]
A_BROWSERS_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", [A_BROWSERS_ACCEPT, "*/*", "", "image/png"])
def test_people_find_the_admin_and_the_documentation(accept: str) -> None:
    shown = Browser(headers={"Accept": accept}).get("/")
    assert shown.status_code == 200
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.findall(r'<a href="([^"]+)"', shown.content.decode()) == WAYS
    assert {"Accept", "Accept-Language"} <= set(re.split(r", *", shown.headers["Vary"]))


def test_programs_get_the_same_links_as_json() -> None:
    shown = Browser(headers={"Accept": "application/json"}).get("/")
    assert shown.json() == {"admin": "/admin/", "documentation": "/api/docs", "health": "/healthz"}


@pytest.mark.parametrize("way", WAYS)
def test_each_link_leads_somewhere(way: str) -> None:
    assert Browser().get(way, follow=True).status_code == 200


def test_a_probe_gets_the_headers_alone() -> None:
    shown = Browser().head("/")
    assert (shown.status_code, shown.content) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/account/default/forgot-password"])
def test_a_method_that_a_page_does_not_have_is_refused_in_the_one_form(path: str) -> None:
    """C5."""
    refused = Browser().put(path, data="{}", content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["type"]) == (405, "method_not_allowed")
    assert "GET" in refused.headers["Allow"]


def test_it_speaks_german() -> None:
    text = Browser(headers={"Accept-Language": "de"}).get("/").content.decode()
    assert '<html lang="de">' in text
    assert "Anmeldedienst" in text
    assert "sign-in service" not in text


def test_it_tells_nothing_of_customers_or_versions() -> None:
    factories.customer(name="Secret Customer")
    shown = Browser().get("/")
    text = shown.content.decode()
    assert "Secret Customer" not in text
    assert "Default" not in text
    assert not re.search(r"\d+\.\d+", text)
    assert "Server" not in shown.headers
    assert not shown.cookies


def test_its_content_security_policy_allows_only_its_own_style_and_picture() -> None:
    shown = Browser().get("/")
    policy = dict(part.strip().split(" ", 1) for part in shown.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy["style-src"], policy["img-src"]} == {"'self'"}
    assert "script-src" not in policy
    assert not re.search(r"(style=|<script|<style|\son\w+=)", shown.content.decode())


def test_it_can_be_read_on_phones_and_large_screens(live_server: object) -> None:
    complaints: list[str] = []
    with browser.page() as page:
        page.on("console", lambda message: complaints.append(message.text))
        for width, scheme in product((320, 1280), ("light", "dark")):
            page.set_viewport_size({"width": width, "height": 780})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(live_server.url)  # type: ignore[attr-defined]
            assert page.get_by_role("link").count() == len(WAYS)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate("document.images[0].naturalWidth") > 0
            dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 23)"
            assert dark == (scheme == "dark")
            page.get_by_role("link", name="API documentation").click(trial=True)
        page.get_by_role("link", name="API documentation").click()
        assert page.url.endswith("/api/docs")
    assert not [text for text in complaints if "Content Security Policy" in text]
