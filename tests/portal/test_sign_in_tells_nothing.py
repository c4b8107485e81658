"""The hosted sign-in takes the same steps and says the same, byte for byte, whether or not an address has an account."""

import re
from collections.abc import Callable

import pytest

from apps.accounts import deactivation
from apps.customers.models import Customer
from tests import factories
from tests.portal.visiting import Visitor
from tests.signin.entering import enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN, KNOWN, CLOSED, LOCKED, PROTECTED = (
    f"{name}@example.com" for name in ("nobody", "known1", "closed", "locked", "secret")
)
SAME_LENGTH = {UNKNOWN, KNOWN, CLOSED, LOCKED, PROTECTED}


@pytest.fixture
def customer() -> Customer:
    made = generous(creates_users_on_sign_in=False)
    member(made, KNOWN)
    enrol_app(member(made, PROTECTED))
    deactivation.deactivate(member(made, CLOSED), context=factories.context("system"))
    member(made, LOCKED)
    for _ in range(5):
        by_password(Visitor(made), LOCKED)
    return made


def by_code(visitor: Visitor, email: str) -> None:
    visitor.open().press("Email me a code", email=email)
    noted(visitor, email)
    visitor.press("Sign in", code="12345678")
    noted(visitor, email)


def by_password(visitor: Visitor, email: str) -> None:
    visitor.open().press("Use my password", email=email)
    noted(visitor, email)
    visitor.press("Sign in", password="not this one, whoever you are")
    noted(visitor, email)


def by_registration(visitor: Visitor, email: str) -> None:
    visitor.open().follow("Make one").press("Make the account", email=email, password="a horse that jumps")
    noted(visitor, email)
    visitor.press("Confirm", code="12345678")
    noted(visitor, email)


def by_forgetting(visitor: Visitor, email: str) -> None:
    visitor.open().press("Use my password", email=email).follow("Forgotten your password?")
    visitor.press("Send the link", email=email)
    noted(visitor, email)


def noted(visitor: Visitor, email: str) -> None:
    """Status, place, headers and text of a page, without the address itself and what is fresh in every answer."""
    text = visitor.html.replace(email, "…")
    text = re.sub(r'(data-passkey|name="resend_at" value|data-wait)="[^"]*"|can be sent in \d+ seconds?', "", text)
    headers = {
        name: value for name, value in visitor.answer.headers.items() if name not in ("X-Request-ID", "Content-Length")
    }
    cookies = {name: len(morsel.value) for name, morsel in visitor.answer.cookies.items()}
    vars(visitor).setdefault("seen", []).append((visitor.answer.status_code, visitor.place, headers, cookies, text))


@pytest.mark.parametrize("way", [by_code, by_password, by_registration, by_forgetting])
def test_known_unknown_locked_and_closed_addresses_see_the_same(
    customer: Customer, way: Callable[[Visitor, str], None]
) -> None:
    """C5: no answer tells whether an email has an account."""
    seen = []
    for email in sorted(SAME_LENGTH):
        visitor = Visitor(customer)
        way(visitor, email)
        seen.append(vars(visitor)["seen"])
    for each in seen:
        assert each == seen[0]
    assert len(seen[0]) >= 1
