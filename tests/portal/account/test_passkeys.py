"""Passkeys: added by what the device signs, renamed, removed."""

import json

import pytest

from apps.audit.models import Event
from apps.factors.models import Passkey
from apps.factors.passkey_enrolment import MOST
from apps.mail.models import Message
from apps.users.models import User
from tests import factories
from tests.factors.authenticator import Authenticator
from tests.portal.account.visiting import Shown, Visitor, visitor
from tests.signin.entering import enrol_app, member

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def user() -> User:
    return member(factories.customer(slug="acme"))


def add(ada: Visitor, device: Authenticator, name: str | None = None) -> Shown:
    options = ada.get("passkeys/add").passkey_options
    given = {"credential": json.dumps(device.create(options)), **({} if name is None else {"name": name})}
    return ada.post("passkeys/add", given)


def test_the_first_is_added_with_recovery_codes_and_the_second_without(user: User) -> None:
    ada = visitor(user)
    assert "You have no passkeys yet." in ada.get("passkeys").text
    first = add(ada, Authenticator(), "  My  laptop ")
    assert first.status == 200
    assert "Your recovery codes" in first.text
    second = add(ada, Authenticator(), "Blue key")
    assert second.place == ada.place("passkeys")
    listed = ada.get("passkeys")
    assert listed.said == "The passkey is added. You can sign in with it from now on."
    assert "My laptop" in listed.text
    assert "not used yet" in listed.text
    assert Event.objects.filter(user_id=user.id, action="factor_enrolled").count() == 2
    assert Message.objects.filter(kind="factor_added").count() == 2


@pytest.mark.parametrize("name", [None, "", "   "])
def test_one_without_a_name_is_named_after_the_browser(user: User, name: str | None) -> None:
    enrol_app(user)
    ada = visitor(user)
    ada.browser.defaults["HTTP_USER_AGENT"] = FIREFOX
    assert add(ada, Authenticator(), name).status == 303
    assert Passkey.objects.get().name == "Firefox on Linux"


def test_what_no_device_of_this_page_has_made_is_refused(user: User) -> None:
    ada, bob = visitor(user), visitor(member(user.customer, "bob@example.com"))
    device = Authenticator()
    options = ada.get("passkeys/add").passkey_options
    made = {"credential": json.dumps(device.create(options))}
    assert bob.post("passkeys/add", made).status == 400  # begun by somebody else
    assert ada.post("passkeys/add", made).status == 400  # and used up by that
    evil = Authenticator(origin="https://evil.example")
    assert add(ada, evil).status == 400
    for broken in ("", "{}", "[" * 5000, "null"):
        refused = ada.post("passkeys/add", {"credential": broken})
        assert (refused.status, bool(refused.passkey_options)) == (400, True)
    assert not Passkey.objects.exists()


def test_names_hold_nothing_that_cannot_be_seen(user: User) -> None:
    enrol_app(user)
    ada = visitor(user)
    add(ada, Authenticator(), "Key")
    key = Passkey.objects.get()
    assert 'value="Key"' in ada.get(f"passkeys/{key.id}/rename").text
    for name in ("", " ", "a\u202eb", "x" * 101):
        assert ada.post(f"passkeys/{key.id}/rename", {"name": name}).status == 400
    assert ada.send(f"passkeys/{key.id}/rename", {"name": " Blue <key> "}).said == "The passkey is renamed."
    key.refresh_from_db()
    assert key.name == "Blue <key>"
    assert "Blue &lt;key&gt;" in ada.get("passkeys").markup


def test_one_is_removed_after_a_question_that_names_it(user: User) -> None:
    enrol_app(user)
    ada = visitor(user)
    add(ada, Authenticator(), "Old phone")
    place = f"passkeys/{Passkey.objects.get().id}/remove"
    assert "Old phone" in ada.get(place).text
    assert Passkey.objects.exists()
    assert ada.send(place).said == "Removed."
    assert ada.get(place).place == ada.place("passkeys")
    assert Event.objects.filter(user_id=user.id, action="factor_removed").exists()
    assert Message.objects.filter(kind="factor_removed").exists()


def test_nobody_elses_passkey_is_seen_renamed_or_removed(user: User) -> None:
    """C1.5."""
    neighbour, stranger = member(user.customer, "bob@example.com"), member(factories.customer())
    enrol_app(user)
    ada = visitor(user)
    add(ada, Authenticator(), "Mine")
    for other in (neighbour, stranger):
        add(visitor(other), Authenticator(), "Theirs")
        theirs = Passkey.objects.get(user=other)
        for step in ("rename", "remove"):
            for answer in (
                ada.get(f"passkeys/{theirs.id}/{step}"),
                ada.post(f"passkeys/{theirs.id}/{step}", {"name": "x"}),
            ):
                assert answer.status == 404
                assert "Theirs" not in answer.text
        assert Passkey.objects.get(id=theirs.id).name == "Theirs"


def test_there_can_be_too_many(user: User) -> None:
    Passkey.objects.bulk_create(
        Passkey(
            customer=user.customer,
            user=user,
            name=f"Key {number}",
            credential_id=str(number),
            public_key=b"x",
            created_at=user.created_at,
        )
        for number in range(MOST)
    )
    refused = visitor(user).get("passkeys/add")
    assert (refused.status, "There are too many passkeys" in refused.text) == (409, True)
