"""What a page is made of: its scripts, and its elements without their words. axe finds the same where the same is.

axe takes a second for a page. So it is shown the pages with something that no page before had.
"""

import re
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from playwright.sync_api import Page

CLASS_OR_ID = re.compile(r"[.#](?:\\.|[\w-])+")
# The menu is every page's.
KINDS = """html => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const told = /^(aria-.*|disabled|readonly|checked|open|hidden|tabindex|title|style|required|placeholder)$/;
  const namesOf = each => [...[...each.classList].map(name => `.${name}`), each.id ? `#${each.id}` : ""].join(" ");
  const elements = [...page.querySelectorAll("body *:not(#nav-sidebar *, script, style, template)")].map(each => [
    each.tagName, each.type, each.getAttribute("role"), each.parentElement.tagName,
    each.getAttributeNames().filter(name => told.test(name)).sort(), namesOf(each),
  ].join("|"));
  const scripts = [...page.querySelectorAll("script[src]")].map(each => `script ${each.getAttribute("src")}`);
  return [...new Set([...elements, ...scripts])]
}"""


@cache
def names_in_styles() -> frozenset[str]:
    """The classes and ids that some style sheet of the admin names: all others make no page look different."""
    files = (storage.path(path) for finder in finders.get_finders() for path, storage in finder.list([]))
    sheets = (Path(file).read_text(encoding="utf-8") for file in files if file.endswith(".css"))
    return frozenset(name.replace("\\", "") for sheet in sheets for name in CLASS_OR_ID.findall(sheet))


def kinds_of(page: Page, html: str) -> frozenset[str]:
    """Of what `html` is made. `page` reads it, and stays as it is."""
    return frozenset(_kind(each) for each in page.evaluate(KINDS, html))


def _kind(element: str) -> str:
    rest, _, names = element.rpartition("|")
    return f"{rest}|{' '.join(sorted(names_in_styles().intersection(names.split())))}" if rest else element
