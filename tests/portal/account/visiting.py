"""A browser at the account page: it keeps cookies, names its own site, and goes where forms send it."""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client as Browser

from apps.customers.models import Customer
from apps.portal import browser_session
from apps.tokens.minting import TokenPair
from apps.users.models import User
from tests import factories
from tests.signin import proving

OURS = settings.PUBLIC_URL
OPTIONS = re.compile(r'data-(?:new-)?passkey="([^"]+)"')
MESSAGE = re.compile(r'<p class="note done" role="status">(.*?)</p>', re.DOTALL)


@dataclass
class Shown:
    """A page as it was shown."""

    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def markup(self) -> str:
        return b"".join(self.response).decode()

    @property
    def text(self) -> str:
        """As it is read: without the escapes of HTML."""
        return unescape(self.markup)

    @property
    def place(self) -> str:
        """Where a redirect leads."""
        return self.response.headers.get("Location", "")

    @property
    def said(self) -> str:
        """What the page says about what was just done."""
        found = MESSAGE.search(self.markup)
        return unescape(found[1]) if found else ""

    @property
    def passkey_options(self) -> dict[str, Any]:
        found = OPTIONS.search(self.markup)
        assert found, self.text
        return dict(json.loads(unescape(found[1])))

    def hidden(self, name: str) -> str:
        """The value of a hidden field."""
        field_ = re.search(rf'<input type="hidden" name="{name}"[^>]*>', self.markup)
        assert field_, self.text
        value = re.search(r'value="([^"]*)"', field_[0])
        return value[1] if value else ""


@dataclass
class Visitor:
    """The owner of an account at the pages of a customer."""

    customer: Customer
    language: str = "en"
    origin: str = OURS
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(headers={"Accept-Language": self.language}, REMOTE_ADDR="192.0.2.7")

    def keep(self, pair: TokenPair) -> None:
        """Keep the session in the cookie, as after a sign-in."""
        self.browser.cookies[browser_session.cookie_name(self.customer.id)] = pair.refresh

    def at(self, page: str) -> str:
        return f"/account/{self.customer.id}/{page}".rstrip("/")

    def place(self, page: str = "") -> str:
        """Where the pages themselves say that a page is."""
        return f"/account/{self.customer.slug}/{page}".rstrip("/")

    def get(self, page: str = "") -> Shown:
        return Shown(self.browser.get(self.at(page)))

    def post(self, page: str, given: dict[str, Any] | None = None, **headers: str) -> Shown:
        """Send a form, and stay where its answer is. `origin`: empty for a browser that says none."""
        named = {**({"Origin": self.origin} if self.origin else {}), **headers}
        return Shown(self.browser.post(self.at(page), given or {}, headers=named))

    def send(self, page: str, given: dict[str, Any] | None = None) -> Shown:
        """Send a form, and go where its answer leads."""
        sent = self.post(page, given)
        return Shown(self.browser.get(sent.place)) if sent.place else sent


def visitor(user: User, *, language: str = "en", stale: bool = False, **where: Any) -> Visitor:
    """Somebody who has just signed in; `stale`: so long ago that the proof is no longer fresh."""
    begin = proving.old_session if stale else factories.session
    found = Visitor(user.customer, language)
    found.keep(begin(user, delivery="hosted", **where))  # type: ignore[operator]
    return found
