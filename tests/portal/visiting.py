"""Somebody in front of the hosted pages: sees headings, fields and buttons, presses them, and has a browser that keeps cookies."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import HttpResponse
from django.test import Client as Browser

from apps.customers.models import Customer
from apps.mail import outbox
from apps.mail.models import Message
from apps.oauth.models import RegisteredClient

CODE = re.compile(r"#(\w+)\s*$")
VERIFIER = "a-verifier-of-at-least-forty-three-characters-as-OAuth-wants-it"
# As browsers send it from pages whose Referrer-Policy is no-referrer.
FROM_OUR_PAGE = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}


@dataclass
class Form:
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    buttons: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page shows and asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text = ""
        self.links: dict[str, str] = {}
        self.heading = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self._said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=given.get("action", ""), facts=given))
        if tag == "input" and self.forms and "name" in given:
            if given.get("type") != "checkbox":
                self.forms[-1].fields[given["name"]] = given.get("value", "")
            self.forms[-1].attributes[given["name"]] = given
        if tag in ("button", "a", "h1"):
            self._open.append((tag, given))
            self._said = ""

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            return
        _tag, given = self._open.pop()
        said = " ".join(self._said.split())
        if tag == "button" and self.forms:
            self.forms[-1].buttons.append((said, given))
        if tag == "a":
            self.links[said] = given.get("href", "")
        if tag == "h1":
            self.heading = said

    def handle_data(self, data: str) -> None:
        self.text += data
        self._said += data

    def form_with(self, button: str) -> tuple[Form, dict[str, str]]:
        for form in self.forms:
            for said, given in form.buttons:
                if said == button:
                    return form, given
        raise AssertionError(f"no button {button!r}: {[said for form in self.forms for said, _given in form.buttons]}")


class Visitor:
    """A person with a browser, at one customer's hosted pages."""

    def __init__(self, customer: Customer, *, language: str = "en", **headers: str) -> None:
        self.customer = customer
        self.browser = Browser(headers={"Accept-Language": language, **headers})
        self.answer: HttpResponse
        self.place = ""

    @property
    def text(self) -> str:
        return " ".join(Page(self.html).text.split())

    @property
    def html(self) -> str:
        return self.answer.content.decode()

    @property
    def page(self) -> Page:
        return Page(self.html)

    def open(self, path: str = "", **query: str) -> "Visitor":
        place = path or f"/sign-in/{self.customer.slug}"
        return self._arrive(place + (f"?{urlencode(query)}" if query else ""))

    def press(self, button: str, **typed: str) -> "Visitor":
        """Fill in and send the form of this button, and go where it leads."""
        form, given = self.page.form_with(button)
        unknown = set(typed) - set(form.attributes)
        assert not unknown, f"no such field: {unknown}"
        pressed = {given["name"]: given.get("value", "")} if "name" in given else {}
        return self.send(form.action or self.place, {**form.fields, **typed, **pressed})

    def send(self, place: str, fields: dict[str, str]) -> "Visitor":
        self.answer = self.browser.post(place, fields, headers=FROM_OUR_PAGE)
        self.place = place
        return self._follow()

    def follow(self, link: str) -> "Visitor":
        return self._arrive(self.page.links[link])

    @property
    def sent_to(self) -> str:
        """Where the visitor was sent that is not one of the sign-in's pages."""
        assert self.answer.status_code == 303, (self.answer.status_code, self.text)
        return str(self.answer.headers["Location"])

    @property
    def given_back(self) -> dict[str, str]:
        """The parameters that the app got."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.sent_to).query).items()}

    def enter_code(self, email: str) -> "Visitor":
        return self.open_if_new().press("Email me a code", email=email).press("Sign in", code=mailed_code())

    def open_if_new(self) -> "Visitor":
        return self if self.place else self.open()

    def _arrive(self, place: str) -> "Visitor":
        self.answer = self.browser.get(place)
        self.place = place
        return self._follow()

    def _follow(self) -> "Visitor":
        """To the next page of the sign-in, as browsers do."""
        target = self.answer.headers.get("Location", "")
        return self._arrive(target) if target.startswith(("/sign-in/", "/sign-out/")) else self


def mailed_code() -> str:
    """The code in the newest mail."""
    text = outbox.content_of(Message.objects.exclude(content="").latest("id")).text
    found = CODE.search(text)
    assert found, text
    return found[1]


def asked_by(client: RegisteredClient, **more: str) -> dict[str, str]:
    """The query by which an app sends somebody here."""
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "email",
        "state": "a state of the app's",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **more,
    }
