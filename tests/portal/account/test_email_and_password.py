"""Address, password, name and language on their pages."""

import pytest
from django.utils import timezone

from apps.accounts.models import EmailChange
from apps.mail.models import Message
from apps.portal import browser_session
from apps.signin.models import Password
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.accounts.moving import NEW, undo_token
from tests.conftest import MakeClient
from tests.otp.reading import newest_code, wrong_code
from tests.portal.account.visiting import visitor
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return member(generous(slug="acme", code_resend_after=0))


def test_an_address_is_changed_by_the_code_that_was_sent_there_and_the_old_one_can_undo_it(user: User) -> None:
    ada = visitor(user)
    assert EMAIL in ada.get("email").text
    sent = ada.send("email", {"email": NEW})
    assert sent.said == "A code is on its way."
    assert f'<strong dir="auto">{NEW}</strong>' in sent.text
    assert ada.get("email/confirm").status == 200  # a reload sends nothing
    assert Message.objects.filter(kind="change_email_code").count() == 1
    assert ada.post("email/confirm", {"code": wrong_code(newest_code())}).status == 400
    done = ada.send("email/confirm", {"code": newest_code()})
    assert done.said == "Your address has been changed."
    assert NEW in done.text
    assert EMAIL not in done.text
    assert undo_token()
    assert ada.send("email/confirm", {"code": "123456"}).status == 200  # the same form once more changes nothing
    assert User.objects.get(id=user.id).email == NEW


def test_another_code_is_sent_when_the_user_asks(user: User) -> None:
    ada = visitor(user)
    ada.post("email", {"email": NEW})
    assert ada.send("email/confirm", {"again": "1"}).said == "A code is on its way."
    assert Message.objects.filter(kind="change_email_code", recipient=NEW).count() == 2
    assert ada.send("email/confirm", {"code": newest_code()}).said == "Your address has been changed."


def test_that_an_address_is_taken_is_told_to_its_reader_alone(user: User) -> None:
    """C5. Asking tells nothing."""
    member(user.customer, NEW)
    ada = visitor(user)
    asked = {email: ada.post("email", {"email": email}).status for email in (NEW, "nobody@example.org")}
    assert set(asked.values()) == {303}
    ada.post("email", {"email": NEW})
    refused = ada.post("email/confirm", {"code": newest_code()})
    assert (refused.status, "Another account here has this address." in refused.text) == (409, True)


def test_an_address_that_is_none_is_explained_at_its_field(user: User) -> None:
    ada = visitor(user)
    for email in ("", "x", "a@b", "a\0b@example.com", "x" * 400 + "@example.com"):
        refused = ada.post("email", {"email": email})
        assert (refused.status, "errorlist" in refused.markup) == (400, True), email
    assert not EmailChange.objects.exists()


def test_a_change_that_was_never_asked_for_cannot_be_confirmed(user: User) -> None:
    ada, bob = visitor(user), visitor(member(user.customer, "bob@example.com"))
    ada.post("email", {"email": NEW})
    assert bob.post("email/confirm", {"code": newest_code()}).place == bob.place("email")
    EmailChange.objects.update(expires_at=timezone.now())
    assert ada.get("email/confirm").place == ada.place("email")


def test_a_password_is_changed_with_the_present_one(user: User, client_for: MakeClient) -> None:
    ada, other = visitor(user, stale=True), factories.session(user)
    refused = ada.post("password", {"current": "wrong", "password": FRESH})
    assert (refused.status, "The present password is wrong." in refused.text) == (400, True)
    weak = ada.post("password", {"current": PASSWORD, "password": "password"})
    assert (weak.status, "among the commonest" in weak.text) == (400, True)
    assert PASSWORD not in weak.text
    assert 'autocomplete="username"' in weak.markup
    done = ada.send("password", {"current": PASSWORD, "password": FRESH})
    assert done.said == "Your password has been changed, and your other devices are signed out."
    assert Session.objects.get(id=other.session_id).end_reason == "password_changed"
    assert Message.objects.filter(kind="password_changed").count() == 1
    assert login(client_for(user.customer), FRESH).status == 200


def test_a_password_is_set_where_there_is_none(user: User, client_for: MakeClient) -> None:
    Password.objects.all().delete()
    stale = visitor(user, stale=True)
    assert stale.get("password").place == stale.place("password/first")
    assert stale.get("password/first").place == stale.place("prove?next=password%2Ffirst")
    ada, other = visitor(user), factories.session(user)
    assert ada.post("password/first", {"password": EMAIL}).status == 400
    done = ada.send("password/first", {"password": FRESH})
    assert done.said == "Your password is set, and your other devices are signed out."
    assert Session.objects.get(id=other.session_id).ended_at
    assert login(client_for(user.customer), FRESH).status == 200
    assert Message.objects.filter(kind="password_changed").count() == 1
    assert ada.post("password/first", {"password": "x" * 12}).place == ada.place("password")
    assert login(client_for(user.customer), FRESH).status == 200


@pytest.mark.parametrize("protected", [True, False])
def test_a_first_password_is_one_set_by_mail_where_the_mailbox_alone_has_proven_who_sets_it(
    user: User, client_for: MakeClient, *, protected: bool
) -> None:
    """C4: else who read the mailbox once could pass a factor that is enrolled later, by that password and a code by mail."""
    Password.objects.all().delete()
    if protected:
        enrol_app(user)
    visitor(user).send("password/first", {"password": FRESH})
    if not protected:
        enrol_app(user)
    methods = login(client_for(user.customer), FRESH).document["methods"]
    assert ("email" in methods) is protected


def test_name_and_language_are_changed(user: User) -> None:
    ada = visitor(user)
    for name in ("a\u202eb", "x" * 201):
        assert ada.post("name", {"name": name, "locale": ""}).status == 400
    assert ada.post("name", {"name": "Ada", "locale": "fr"}).status == 400
    done = ada.send("name", {"name": " Ada  Lovelace ", "locale": "de"})
    assert done.said == "Gespeichert."
    user.refresh_from_db()
    assert (user.name, user.locale) == ("Ada Lovelace", "de")
    assert 'value="Ada Lovelace"' in ada.get("name").markup


def test_a_variant_of_the_language_is_kept_when_only_the_name_changes(user: User) -> None:
    User.objects.filter(id=user.id).update(locale="de-AT")
    ada = visitor(user)
    assert '<option value="de" selected>' in ada.get("name").markup
    ada.post("name", {"name": "Ada", "locale": "de"})
    user.refresh_from_db()
    assert (user.name, user.locale) == ("Ada", "de-AT")


def test_the_page_offers_to_sign_out(user: User) -> None:
    shown = visitor(user).get("name")
    assert '<form method="post" action="/sign-out/acme">' in shown.markup
    assert EMAIL in shown.text
    assert browser_session.cookie_name(user.customer_id) not in shown.markup
