"""States of the admin's pages that no address leads to: forms refused, lists without rows, links of mails, what is under way, what fails."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts import customer_deletion
from apps.audit.models import Event
from apps.customers import lifecycle
from apps.customers.models import CustomerDeletion
from apps.mail import outbox
from apps.mail.models import Message
from apps.operators.models import OperatorSession
from apps.operators.pages.base import NeverAdded
from apps.operators.sign_in import step_up
from apps.operators.sign_in.session_store import SessionStore
from apps.users.models import User
from tests import factories
from tests.operators.addresses import MODELS, place_of
from tests.operators.signing_in import AS_AUDITOR

ACTOR = "operator:ops@example.com"
NOBODY = "?q=nobody.has.this"
TOKEN = re.compile(r"#token=([\w-]{43})")
REFUSED = ".errors, .errorlist, .faults, [aria-invalid=true], [role=alert]"
Form = Mapping[str, str]


@dataclass(frozen=True)
class State:
    """A page that is in it when `form` (if any) has been posted there. `sign`: a selector of what shows it.

    `acts`: its script changes what it shows, without being asked.
    """

    name: str
    path: str
    sign: str
    form: Form | None = None
    acts: bool = False


def empty_lists() -> list[tuple[str, str]]:
    """While nothing is there but the default customer and one operator."""
    return [(f"empty-{place}", f"/admin/{place}") for place in map(place_of, MODELS)]


def lists_filtered_to_nothing() -> list[tuple[str, str]]:
    return [(f"filtered-{place}", f"/admin/{place}{NOBODY}") for place in map(place_of, MODELS)]


def of_signed_in(user: User) -> Iterator[State]:
    """Each is made when its turn comes."""
    yield from (State(f"refused-{path}add", f"/admin/{path}add/", REFUSED, {}) for path in _places_to_add())
    yield from _refused(user)
    yield State("undo", f"/admin/audit/event/{_changed_network().pk}/undo/", "#content form")
    yield from _grave(user)
    yield from _deletion()


def of_guests(invited: str) -> Iterator[State]:
    """`invited`: the token of an invitation that is good."""
    different = {"token": invited, "new_password": "a horse", "repeated": "another"}
    wrong = {"username": "ops@example.com", "password": "a guess", "code": ""}
    yield State("sign-in-refused", "/admin/login/", ".errornote", wrong)
    yield State("link-sent", "/admin/forgotten-password/?sent", "main")
    yield State("invitation", f"/admin/invitation/#token={invited}", "form [type=password]", acts=True)
    yield State("invitation-refused", "/admin/invitation/", REFUSED, different)
    yield State("link-useless", "/admin/new-password/", "[role=alert]", {**different, "token": "x" * 43})


def answer_to(browser: Client, state: State) -> Any:
    path = state.path.partition("#")[0]
    return browser.get(path) if state.form is None else browser.post(path, state.form)


@contextmanager
def something_failing() -> Iterator[State]:
    """As after a restored backup that lacks a table."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE figures_hourlyfigure RENAME TO figures_elsewhere")
        try:
            yield State("failure", "/admin/", "main a[href='/admin/']")
        finally:
            cursor.execute("ALTER TABLE figures_elsewhere RENAME TO figures_hourlyfigure")


def token_of_last_mail() -> str:
    message = Message.objects.exclude(content="").filter(kind__startswith="operator_").latest("created_at")
    content = outbox.content_of(message)
    found = TOKEN.search(content.text) if content else None
    assert found
    return found[1]


INVITATION = State("invited", "/admin/auth/user/add/", "", {"email": "new@example.com", **AS_AUDITOR})


def _places_to_add() -> list[str]:
    return [place_of(model) for model in MODELS if not isinstance(admin.site._registry[model], NeverAdded)]


def _refused(user: User) -> Iterator[State]:
    customer, person = f"/admin/customers/customer/{user.customer_id}", f"/admin/users/user/{user.pk}"
    yield State("refused-policy", f"{customer}/policy/tokens/", REFUSED, {"access_lifetime": "soon"})
    yield State("refused-network", f"{customer}/allowlist/", REFUSED, {"network": "here", "note": ""})
    yield State("refused-address", f"{person}/change-address/", REFUSED, {"email": "nowhere", "reason": ""})


def _changed_network() -> Event:
    customer = factories.customer(name="Southern Cross", slug="southern-cross")
    lifecycle.replace_allowlist(customer=customer, networks={"192.0.2.0/24": ""}, context=factories.context(ACTOR))
    return Event.objects.filter(action="allowlist_changed").latest("at")


def _grave(user: User) -> Iterator[State]:
    """As ten minutes after one has signed in."""
    proven = [(timezone.now() - timedelta(minutes=11)).timestamp(), step_up.PASSWORD]
    for row in OperatorSession.objects.all():
        session = SessionStore()
        row.session_data = session.encode({**session.decode(row.session_data), step_up.PROVEN: proven})
        row.save(update_fields=["session_data"])
    page = f"/admin/customers/customer/{user.customer_id}/suspend/"
    yield State("proof", page, "[name=proof]")
    yield State("proof-refused", page, REFUSED, {"proof": "a guess"})


def _deletion() -> Iterator[State]:
    customer = factories.customer(name="Western Lights", slug="western-lights")
    for number in range(3):
        factories.user(customer, f"user{number}@example.com")
    two_days_ago = timezone.now() - timedelta(days=2)
    lifecycle.suspend(customer, context=factories.context(ACTOR, now=two_days_ago))
    customer.refresh_from_db()
    customer_deletion.start(customer, context=factories.context(ACTOR))
    customer_deletion.go_on(seconds=0, clock=timezone.now)
    page = f"/admin/customers/customer/{customer.pk}/deletion/"
    yield State("deletion-under-way", page, "#progress[data-under-way] progress", acts=True)
    CustomerDeletion.objects.update(waits_for=customer_deletion.STORAGE)
    yield State("deletion-waits", page, "#progress[data-under-way] .bg-orange-100", acts=True)
    CustomerDeletion.objects.update(waits_for="")
    customer_deletion.go_on(seconds=60, clock=timezone.now)
    yield State("deletion-done", page, "#progress:not([data-under-way])", acts=True)
