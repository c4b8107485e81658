"""Users see what others did to their accounts, but not who did it."""

import json
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts import mails
from apps.audit import actions, events
from apps.core import actors
from apps.core.context import RequestContext
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.mail import posting

pytestmark = pytest.mark.django_db(transaction=True)
THEIRS = factories.context(ip="10.20.30.40", user_agent="Their browser")
MINE = factories.context(ip="203.0.113.9", user_agent="My browser")


def note(user: User, context: RequestContext) -> None:
    events.record(
        action=actions.USER_CHANGED,
        customer_id=user.customer_id,
        user_id=user.id,
        context=context.at(timezone.now()),
    )


def exported(client_for: MakeClient, user: User) -> list[dict[str, object]]:
    token = factories.session(user).access
    answer = client_for(None).get("/api/auth/me/export?section=events", token=token)
    found: list[dict[str, object]] = [row for row in answer.document["results"] if row["action"] == "user_changed"]
    return found


@pytest.mark.parametrize(
    "actor",
    [
        actors.operator("boss@x.example"),
        actors.api_key("4F2B1C9A7D3E"),
        actors.identity_check(UUID(int=7)),
        actors.user(UUID(int=7)),
        actors.SYSTEM,
    ],
)
def test_where_operators_and_servers_were_is_not_among_a_users_data(client_for: MakeClient, actor: str) -> None:
    user = factories.user(factories.customer(), email_verified_at=timezone.now())
    note(user, THEIRS.by(actor))
    [row] = exported(client_for, user)
    assert (row["ip"], row["user_agent"]) == (None, "")
    assert not [fact for fact in ("10.20.30.40", "Their browser", "boss@x.example") if fact in json.dumps(row)]


@pytest.mark.parametrize("anonymous", [False, True])
def test_where_the_user_was_is(client_for: MakeClient, *, anonymous: bool) -> None:
    """An event without an actor, such as a wrong password, may still have been the user's own."""
    user = factories.user(factories.customer(), email_verified_at=timezone.now())
    note(user, MINE.by(actors.ANONYMOUS if anonymous else actors.user(user.id)))
    [row] = exported(client_for, user)
    assert (row["ip"], row["user_agent"]) == ("203.0.113.9", "My browser")


@pytest.mark.parametrize(
    ("address", "mine", "others"),
    [
        ("i@example.com", "I@Example.com", "\u0130@example.com"),  # PostgreSQL's lower() makes an "i" of it
        ("chef@großhandel.example", "CHEF@Großhandel.example", "chef@grosshandel.example"),
        ("chef@großhandel.example", "chef@xn--grohandel-i1a.example", "chef@GROSSHANDEL.example"),
        ("straße@example.com", "STRAẞE@example.com", "strasse@example.com"),
    ],
)
def test_mails_to_another_mailbox_are_nobody_elses_data(address: str, mine: str, others: str) -> None:
    """C6. Mails from before the account are found by the address."""
    customer, elsewhere = factories.customer(), factories.customer()
    user = factories.user(customer, address)
    expected = posting.post(posting.branding(customer.id), recipient=mine)
    posting.post(posting.branding(customer.id), recipient=others)
    posting.post(posting.branding(elsewhere.id), recipient=mine)
    assert list(mails.of(user)) == [expected]
