"""Changing the address: proven at the new one, announced to the old one, which can undo it; and what a thief can do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import EmailChange, ResetToken
from apps.audit.models import Event
from apps.factors.models import Totp
from apps.mail import outbox
from apps.mail.models import Message, MessageState
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.accounts.moving import NEW, ask, confirm, moved, undo, undo_token
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.conftest import MakeClient
from tests.otp.reading import newest_code, wrong_code
from tests.races import at_once
from tests.signin.entering import EMAIL, enrol_app, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_new_address_is_proven_and_the_old_one_told(client_for: MakeClient) -> None:
    """Issue: confirmed at the new address, announced at the old."""
    customer = factories.customer()
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    asked = ask(client, token)
    assert (asked.status, asked.document["expires_in"]) == (202, 600)
    sent = Message.objects.get()
    assert (sent.kind, sent.recipient) == ("change_email_code", NEW)
    assert client.get("/api/auth/me", token=token).document["email"] == EMAIL
    assert confirm(client, token, newest_code()).document["email"] == NEW
    assert client.get("/api/auth/me", token=token).document["email"] == NEW, "on the next request"
    announced = Message.objects.get(kind="email_changed")
    assert announced.recipient == EMAIL
    assert NEW not in outbox.content_of(announced).text, "masked"
    assert login(client, email=NEW).status == 200
    assert login(client, email=EMAIL).status == 401
    assert Event.objects.filter(action="email_changed", user_id=user.id).count() == 1


def test_a_thief_of_a_session_lacks_the_password(client_for: MakeClient) -> None:
    customer = factories.customer()
    token = factories.session(member(customer)).access
    assert ask(client_for(customer), token, password="a guess").error_type == "invalid_password"
    assert not Message.objects.exists()


def test_who_has_no_password_needs_none(client_for: MakeClient) -> None:
    customer = factories.customer()
    token = factories.session(factories.user(customer, EMAIL, email_verified_at=timezone.now())).access
    assert ask(client_for(customer), token, password="").status == 202


def test_a_wrong_code_and_one_for_another_address_change_nothing(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    ask(client, token)
    code = newest_code()
    assert confirm(client, token, wrong_code(code)).error_type == "invalid_otp"
    assert confirm(client, token, code, "other@example.org").error_type == "invalid_otp"
    user.refresh_from_db()
    assert (user.email, user.wrong_second_factors, user.wrong_codes) == (EMAIL, 0, 0), "counted for the session alone"
    assert Session.objects.get().proofs_tried == 2


def test_after_too_many_wrong_codes_none_is_sent_and_none_opens(client_for: MakeClient) -> None:
    """C6: 100 wrong codes in a row, then no codes until somebody clears it."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    ask(client, token)
    code = newest_code()
    User.objects.update(wrong_second_factors=100)
    assert confirm(client, token, code).error_type == "invalid_otp"
    assert ask(client, token).status == 202
    assert Message.objects.order_by("-id")[0].state == MessageState.SUPPRESSED
    user.refresh_from_db()
    assert user.email == EMAIL


def test_another_users_code_is_worthless(client_for: MakeClient) -> None:
    customer = generous()
    mine, theirs = member(customer), member(customer, "eve@example.com")
    client = client_for(customer)
    ask(client, factories.session(mine).access)
    assert confirm(client, factories.session(theirs).access, newest_code()).error_type == "invalid_otp"


def test_a_taken_address_is_told_to_nobody_but_its_owner(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    member(customer, NEW)
    client, token = client_for(customer), factories.session(user).access
    assert ask(client, token).status == 202
    assert (confirm(client, token, newest_code()).error_type) == "email_taken"
    user.refresh_from_db()
    assert user.email == EMAIL


def test_the_same_address_at_another_customer_is_free(client_for: MakeClient) -> None:
    """C1.5."""
    member(factories.customer(), NEW)
    customer = factories.customer()
    client, token = client_for(customer), factories.session(member(customer)).access
    ask(client, token)
    assert confirm(client, token, newest_code()).status == 200


def test_who_merely_registered_an_address_makes_way_for_who_proves_it(client_for: MakeClient) -> None:
    customer = generous()
    factories.user(customer, NEW, status="pending")
    client, token = client_for(customer), factories.session(member(customer)).access
    ask(client, token)
    assert confirm(client, token, newest_code()).status == 200
    assert User.objects.count() == 1


def test_who_was_given_a_role_has_not_merely_registered(client_for: MakeClient) -> None:
    """A customer keeps its owner when a colleague proves the owner's address."""
    customer = generous()
    owner = member(customer, NEW, email_verified_at=None, is_owner=True, role="admin")
    client, token = client_for(customer), factories.session(member(customer)).access
    ask(client, token)
    assert confirm(client, token, newest_code()).error_type == "email_taken"
    assert User.objects.filter(id=owner.id).exists()


def test_whoever_reads_a_mistyped_address_gets_no_way_in(client_for: MakeClient) -> None:
    """An old address that was never proven gets no mail, and above all no link that takes the account back there."""
    customer = generous(demands_verified_email=False)
    user = member(customer, "ada@exmaple.com", email_verified_at=None)
    client, token = client_for(customer), factories.session(user).access
    ask(client, token)
    assert confirm(client, token, newest_code()).status == 200
    assert not Message.objects.filter(recipient="ada@exmaple.com").exists()
    assert EmailChange.objects.get().undo_digest is None
    me = client.get("/api/auth/me", token=token).document
    assert (me["email"], me["email_verified"], me["status"]) == (NEW, True, "active")
    assert Event.objects.filter(action="email_verified", user_id=user.id).count() == 1


def test_links_in_the_old_mailbox_are_dead(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    client, token = client_for(customer), factories.session(member(customer)).access
    forgot(client)
    link = mailed_token()
    ask(client, token)
    confirm(client, token, newest_code())
    assert reset(client, link).error_type == "invalid_reset_token"


def test_it_is_undone_from_the_old_address(client_for: MakeClient) -> None:
    """Issue: undoable from there for 7 days."""
    client, token, user = moved(client_for)
    change = EmailChange.objects.get()
    assert change.undo_until is not None
    assert change.undo_until - change.confirmed_at == timedelta(days=7)  # type: ignore[operator]
    assert undo(client, undo_token()).status == 200
    user.refresh_from_db()
    assert user.email == EMAIL
    assert client.get("/api/auth/me", token=token).error_type == "session_ended"
    assert Event.objects.get(action="email_change_undone").severity == "high"
    assert login(client).status == 401, "whoever changed the address knew the password"
    assert reset(client, mailed_token(), "a password that nobody else knows").status == 200
    assert login(client, "a password that nobody else knows").status == 200


def test_a_spent_quota_does_not_keep_a_thief_in(client_for: MakeClient) -> None:
    """C6: an exhausted quota stops sending, never signing out."""
    client, token, user = moved(client_for)
    factories.policy(user.customer, daily_code_quota=1)
    assert undo(client, undo_token()).status == 200
    assert client.get("/api/auth/me", token=token).error_type == "session_ended"
    assert reset(client, mailed_token(), "a password that nobody else knows").status == 200


def test_factors_enrolled_since_go_with_it(client_for: MakeClient) -> None:
    client, _token, user = moved(client_for)
    enrol_app(user)
    Totp.objects.update(confirmed_at=timezone.now())
    undo(client, undo_token())
    assert not Totp.objects.exists()


def test_factors_from_before_stay(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    user = member(customer)
    enrol_app(user)
    client, token = client_for(customer), factories.session(user).access
    ask(client, token)
    confirm(client, token, newest_code())
    undo(client, undo_token())
    assert Totp.objects.exists()


def test_it_works_once_and_for_seven_days(client_for: MakeClient) -> None:
    client, _token, _user = moved(client_for)
    token = undo_token()
    EmailChange.objects.update(undo_until=timezone.now())
    assert undo(client, token).error_type == "invalid_undo_token"
    EmailChange.objects.update(undo_until=timezone.now() + timedelta(days=1))
    assert undo(client, token).status == 200
    assert undo(client, token).error_type == "invalid_undo_token"


def test_of_many_at_once_one_undoes(client_for: MakeClient) -> None:
    client, _token, _user = moved(client_for)
    token = undo_token()
    assert at_once(20, lambda _: undo(client, token).status).count(200) == 1
    assert ResetToken.objects.count() == 1


def test_the_first_of_several_changes_undoes_them_all(client_for: MakeClient) -> None:
    """A thief who moves on to a third address does not get away."""
    client, token, user = moved(client_for)
    first = undo_token()
    ask(client, token, "third@example.net")
    assert confirm(client, token, newest_code(), "third@example.net").status == 200
    later = undo_token(NEW)
    assert undo(client, first).status == 200
    user.refresh_from_db()
    assert user.email == EMAIL
    assert undo(client, later).error_type == "invalid_undo_token", "nor does the thief get it back"


def test_a_stranger_cannot_block_it_by_registering_the_old_address(client_for: MakeClient) -> None:
    client, _token, user = moved(client_for)
    factories.user(user.customer, EMAIL, status="pending")
    assert undo(client, undo_token()).status == 200
    user.refresh_from_db()
    assert user.email == EMAIL


def test_somebody_who_has_proven_the_old_address_keeps_it(client_for: MakeClient) -> None:
    client, _token, user = moved(client_for)
    member(user.customer, EMAIL, email_verified_at=timezone.now())
    assert undo(client, undo_token()).error_type == "email_taken"


def test_a_token_of_another_customer_is_worthless(client_for: MakeClient) -> None:
    """C1.5; without a key it is the default customer's."""
    client, _token, _user = moved(client_for)
    for elsewhere in (client_for(factories.customer()), client_for(None)):
        assert undo(elsewhere, undo_token()).error_type == "invalid_undo_token"
    assert undo(client, undo_token()).status == 200


def test_an_owner_needs_no_key(client_for: MakeClient) -> None:
    _client, _token, user = moved(client_for)
    User.objects.filter(id=user.id).update(is_owner=True)
    assert undo(client_for(None), undo_token()).status == 200


@pytest.mark.parametrize(("fields", "field"), [({"email": "nobody"}, "email"), ({}, "email")])
def test_bad_input_names_the_field(client_for: MakeClient, fields: dict[str, str], field: str) -> None:
    customer = factories.customer()
    token = factories.session(member(customer)).access
    answer = client_for(customer).post("/api/auth/change-email", fields, token=token)
    assert (answer.status, list(answer.document["error"]["fields"])) == (400, [field])


def test_a_thief_who_guesses_codes_loses_the_session_and_takes_no_second_factor(client_for: MakeClient) -> None:
    """C3.10: a stolen token, however old, must not keep the user from signing in."""
    customer = factories.customer()
    user = member(customer)
    app = enrol_app(user)
    client, stolen = client_for(customer), factories.session(user).access
    for _ in range(10):
        assert confirm(client, stolen, "000000").error_type == "invalid_otp"
    assert confirm(client, stolen, "000000").error_type == "session_ended"
    user.refresh_from_db()
    assert (user.wrong_codes, user.wrong_second_factors) == (0, 0)
    token = login(client).document["session_token"]
    answer = client.before_sign_in(
        "/api/auth/2fa/verify", {"session_token": token, "method": "totp", "code": app.now()}
    )
    assert answer.status == 200
