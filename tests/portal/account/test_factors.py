"""Authenticator app, phone and recovery codes on their pages: the same events and mails as through the API."""

import re
from typing import Any

import pyotp
import pytest

from apps.audit.models import Event
from apps.factors import recovery_codes
from apps.factors.models import RecoveryCode, Totp
from apps.mail.models import Message
from apps.users.models import User
from tests import factories
from tests.otp.reading import newest_code, wrong_code
from tests.portal.account.visiting import Shown, Visitor, visitor
from tests.races import at_once
from tests.signin.entering import enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = re.compile(r'<code class="secret"[^>]*>([A-Z2-7]+)</code>')
CODE = re.compile(r"<code>([0-9A-Z-]{19})</code>")


@pytest.fixture
def user() -> User:
    return member(generous(slug="acme", code_resend_after=0))


def secret_in(shown: Shown) -> str:
    found = SECRET.search(shown.markup)
    assert found, shown.text
    return found[1]


def begun(ada: Visitor) -> Shown:
    return ada.send("authenticator-app/set-up")


def happened(user: User) -> list[str]:
    return list(Event.objects.filter(user_id=user.id).order_by("at", "id").values_list("action", flat=True))


def test_an_app_is_set_up_by_its_first_code_and_recovery_codes_come_with_it(user: User) -> None:
    ada = visitor(user)
    assert "You have not set one up." in ada.get("authenticator-app").text
    shown = begun(ada)
    assert "<svg" in shown.markup
    assert f"secret={secret_in(shown)}" in shown.text
    right = pyotp.TOTP(secret_in(shown)).now()
    confirmed = ada.post("authenticator-app/confirm", {"code": f"{right[:3]} {right[3:]}"})
    assert (confirmed.status, confirmed.said) == (200, "The authenticator app is set up.")
    assert len(CODE.findall(confirmed.markup)) == recovery_codes.NUMBER
    assert {"factor_enrolled"} <= set(happened(user))
    assert Message.objects.filter(kind="factor_added").count() == 1
    again = ada.send("authenticator-app/confirm", {"code": right})  # a reload of the codes' page
    assert (again.status, CODE.findall(again.markup)) == (200, [])
    assert RecoveryCode.objects.count() == recovery_codes.NUMBER
    assert "Set up another one in its place" in ada.get("authenticator-app").text


def test_a_wrong_code_and_a_reload_leave_the_secret_as_it_is(user: User) -> None:
    ada = visitor(user)
    first = secret_in(begun(ada))
    refused = ada.post("authenticator-app/confirm", {"code": wrong_code(pyotp.TOTP(first).now())})
    assert (refused.status, secret_in(refused)) == (400, first)
    assert secret_in(ada.get("authenticator-app/confirm")) == first
    assert ada.post("authenticator-app/confirm", {"code": "no"}).status == 400
    assert secret_in(begun(ada)) != first  # beginning anew makes a new one


def test_an_app_that_works_goes_on_until_another_is_confirmed(user: User) -> None:
    app, ada = enrol_app(user), visitor(user)
    begun(ada)
    ada.get()
    stale = visitor(user, stale=True)
    assert stale.post("prove?next=email", {"code": app.now()}).place == stale.place("email")


def test_an_app_is_removed_after_a_question(user: User) -> None:
    enrol_app(user)
    ada = visitor(user)
    removed = ada.send("authenticator-app/remove")
    assert removed.said == "Removed."
    assert "You have not set one up." in removed.text
    assert "factor_removed" in happened(user)
    assert Message.objects.filter(kind="factor_removed").exists()
    assert not RecoveryCode.objects.exists()  # they stood in for it
    assert ada.post("authenticator-app/remove").place == ada.place("authenticator-app")


def test_the_last_factor_stays_where_one_is_demanded(user: User) -> None:
    factories.policy(user.customer, second_factor="required")
    ada = visitor(user)
    assert "A second factor is required here." in ada.get().text
    enrol_app(user)
    assert "A second factor is required here." not in ada.get().text
    refused = ada.post("authenticator-app/remove")
    assert (refused.status, "Enrol another one before you remove this." in refused.text) == (409, True)
    assert Totp.objects.get(user=user).confirmed_at


def test_a_number_is_confirmed_by_the_code_that_was_sent_there(user: User, settings: Any) -> None:
    settings.SMS_BACKEND = "apps.mail.sms_transports.File"
    ada = visitor(user)
    assert ada.post("phone/number", {"phone": "12"}).status == 400
    sent = ada.send("phone/number", {"phone": "+49 1512 3456789"})
    assert sent.said == "A code is on its way."
    assert "+4915123456789" in sent.text
    assert ada.send("phone/confirm", {"again": "1"}).said == "A code is on its way."
    assert ada.post("phone/confirm", {"code": "000000x"}).status == 400
    confirmed = ada.post("phone/confirm", {"code": newest_code()})
    assert len(CODE.findall(confirmed.markup)) == recovery_codes.NUMBER
    assert "+49" in ada.get("phone").text
    assert "+4915123456789" not in ada.get("phone").text
    assert ada.post("phone/confirm", {"code": "123456"}).place == ada.place("phone")
    assert ada.send("phone/remove").said == "Removed."


def test_codes_need_a_factor_first(user: User) -> None:
    """Else a thief could keep them for later."""
    ada = visitor(user)
    assert "you have none yet" in ada.get("recovery-codes").text
    assert ada.get("recovery-codes/new").place == ada.place("recovery-codes")
    assert ada.post("recovery-codes/new", {"edition": ""}).place == ada.place("recovery-codes")
    assert not RecoveryCode.objects.exists()


def test_new_codes_are_shown_once_and_a_reload_makes_no_others(user: User) -> None:
    enrol_app(user)
    ada = visitor(user)
    before = set(RecoveryCode.objects.values_list("digest", flat=True))
    asked = ada.get("recovery-codes/new")
    assert set(RecoveryCode.objects.values_list("digest", flat=True)) == before
    form = {"edition": asked.hidden("edition")}
    made = ada.post("recovery-codes/new", form)
    codes = CODE.findall(made.markup)
    assert len(set(codes)) == recovery_codes.NUMBER
    kept = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert not kept & before
    again = ada.send("recovery-codes/new", form)
    assert again.said == "New recovery codes have been made already. They are shown only once."
    assert CODE.findall(again.markup) == []
    assert set(RecoveryCode.objects.values_list("digest", flat=True)) == kept
    assert happened(user).count("recovery_codes_made") == 1
    assert recovery_codes.use(user.id, codes[0], now=user.created_at)
    assert "You have 9 codes left." in ada.get("recovery-codes").text
    assert "9 left" in ada.get().text
    assert ada.get().status == 200  # the new codes have signed nobody out


def test_of_many_clicks_at_once_one_makes_codes_and_those_are_good(user: User) -> None:
    enrol_app(user)
    form = {"edition": visitor(user).get("recovery-codes/new").hidden("edition")}
    visitors = [visitor(user) for _ in range(8)]
    answers = at_once(8, lambda number: visitors[number].post("recovery-codes/new", form), threads=8)
    [made] = [answer for answer in answers if answer.status == 200]
    assert {answer.status for answer in answers} == {200, 303}
    assert all(recovery_codes.use(user.id, code, now=user.created_at) for code in CODE.findall(made.markup))


def test_the_account_says_when_no_codes_are_left(user: User) -> None:
    enrol_app(user)
    ada = visitor(user)
    assert "no recovery codes left" not in ada.get().text
    RecoveryCode.objects.update(used_at=user.created_at)
    assert "You have no recovery codes left." in ada.get().text
