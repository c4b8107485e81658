"""Pictures of every page of the admin, for docs/operators and for whoever changes a page: `make admin-screenshots`.

On a real server with a few hundred customers and thousands of users. All pictures go to ALL_PICTURES; those that the
documentation shows, and a sheet of all in each look, to docs/operators. ONLY="users audit" makes those alone.
"""

import base64
import os
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Page

from benchmarks.seed import seed
from benchmarks.seeding.scale import Scale
from tests import browser
from tests.conftest import MakeClient
from tests.operators import furnished, looks
from tests.operators.looking import enter
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
MANY = Scale(customers=300, users=5000, sessions=6000, mails=3000, events=10_000)
ALL = Path(os.environ.get("ALL_PICTURES") or ".data/admin-pictures")
SHOWN = Path("docs/operators")
IN_DOCS = (
    "overview",
    "customers-customer",
    "customers-customer-change",
    "users-user",
    "users-user-change",
    "users-user-erase",
    "why-refused-answer",
    "audit-event",
    "approvals-identitycheck",
    "alerts-alert",
    "payloads-servicekeypair",
    "users-none",
    "not-found",
)
SHEET = "body { margin: 8px; background: #888 } figure { display: inline-block; margin: 4px; vertical-align: top } img { display: block }"


def test_make_pictures(client_for: MakeClient, live_server: object) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    operator()
    seed(MANY)
    found = list(furnished.pages(sign_in(), furnished.furnish(client_for)))
    only = os.environ.get("ONLY", "").split()
    wanted = [(name, path) for name, path in found if not only or any(name.startswith(each) for each in only)]
    ALL.mkdir(parents=True, exist_ok=True)
    SHOWN.mkdir(parents=True, exist_ok=True)
    with browser.page(locale="en") as page:
        enter(page, url)
        for name, path in wanted:
            page.goto(f"{url}{path}")
            page.add_style_tag(content=looks.STILL)
            _keep(page, name)
        if not only:
            for look in looks.LOOKS:
                _sheet(page, looks.name_of(look), [name for name, _path in wanted])


def _keep(page: Page, name: str) -> None:
    for look in looks.LOOKS:
        looks.show(page, look)
        looks.keep(page, ALL / f"{name}-{looks.name_of(look)}.webp", full=True)
        if name in IN_DOCS:
            looks.keep(page, SHOWN / f"{name}-{looks.name_of(look)}.webp", full=False)


def _sheet(page: Page, look: str, names: list[str]) -> None:
    """All pages in one picture, small: the eye finds what stands out."""
    width = 240 if look.startswith("wide") else 130
    pictures = ((name, base64.b64encode((ALL / f"{name}-{look}.webp").read_bytes()).decode()) for name in names)
    figures = "".join(
        f'<figure style="width:{width}px;height:{round(width * 1.2)}px;overflow:hidden">'
        f'<img width="{width}" alt="{escape(name)}" src="data:image/webp;base64,{data}"></figure>'
        for name, data in pictures
    )
    page.set_viewport_size({"width": 1600, "height": 900})
    page.set_content(f"<style>{SHEET}</style>{figures}")
    looks.keep(page, SHOWN / f"every-page-{look}.webp", full=True)
