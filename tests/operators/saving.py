"""Forms of the admin, saved as a browser would: with the version that the page carries."""

import re
from typing import Any

from django.test import Client

VERSION = re.compile(r'name="_version" value="([^"]+)"')


def version_of(page: str) -> str:
    """What the page's form carries along."""
    found = VERSION.search(page)
    assert found, "the page has no version"
    return found[1]


def opened(browser: Client, path: str) -> dict[str, str]:
    """The part of the form that a browser adds to what a person fills in."""
    return {"_version": version_of(browser.get(path).content.decode())}


def save(browser: Client, path: str, form: dict[str, Any]) -> Any:
    return browser.post(path, {**form, **opened(browser, path)})


def confirm(browser: Client, path: str, asked: Any, **more: str) -> Any:
    """Press the button of a question that stands in front of a form: its hidden fields are posted."""
    hidden: dict[str, list[str]] = {}
    for name, value in asked.context["hidden"]:
        hidden.setdefault(name, []).append(value)
    return browser.post(path, {**hidden, **more})
