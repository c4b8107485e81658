"""The fresh proof: by what the account has, for the page that asked, and for nothing else."""

import json
import re

import pytest

from apps.factors import enrolment
from apps.factors.models import Passkey
from apps.portal import browser_session
from apps.signin.models import Password
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.otp.reading import newest_code, wrong_code
from tests.portal.account.visiting import Visitor, visitor
from tests.signin.entering import PASSWORD, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return member(generous(slug="acme"))


def prove(ada: Visitor, given: dict[str, object], then: str = "email", **query: str) -> str:
    """Where a proof leads."""
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return ada.post(f"prove?next={then}{more}", given).place


def test_a_password_proves_it_and_leads_on_with_a_new_cookie(user: User) -> None:
    ada = visitor(user, stale=True)
    asked = ada.get("email")
    assert asked.place == ada.place("prove?next=email")
    assert "Type your password." in ada.get("prove?next=email").text
    assert ada.post("prove?next=email", {"password": "wrong"}).status == 400
    before = ada.browser.cookies[browser_session.cookie_name(user.customer_id)].value
    assert prove(ada, {"password": PASSWORD}) == ada.place("email")
    assert ada.browser.cookies[browser_session.cookie_name(user.customer_id)].value != before
    assert ada.get("email").status == 200
    assert ada.get("prove?next=email").place == ada.place("email")  # no second time


def test_an_account_without_password_and_factors_gets_a_code_by_mail(user: User) -> None:
    Password.objects.all().delete()
    ada = visitor(user, stale=True)
    shown = ada.get("prove?next=passkeys/add").text
    assert "We send a code to your address." in shown
    assert "one-time-code" not in shown
    sent = ada.send("prove?next=passkeys/add", {"again": "1"})
    assert sent.said == "A code is on its way."
    assert 'autocomplete="one-time-code"' in sent.text
    assert ada.post("prove?next=passkeys/add&method=email&sent=1", {"code": wrong_code(newest_code())}).status == 400
    place = prove(ada, {"code": f" {newest_code()[:3]} {newest_code()[3:]}"}, "passkeys/add", method="email", sent="1")
    assert place == ada.place("passkeys/add")


def test_asking_again_too_soon_is_explained_on_the_page(user: User) -> None:
    Password.objects.all().delete()
    factories.policy(user.customer, code_resend_after=600)
    ada = visitor(user, stale=True)
    assert ada.post("prove", {"again": "1"}).status == 303
    refused = ada.post("prove?sent=1", {"again": "1"})
    assert (refused.status, "Retry-After" in refused.response.headers) == (429, True)
    assert "Please wait a moment" in refused.text
    assert "one-time-code" in refused.text  # the code that is on its way can be typed


def test_a_second_factor_is_asked_for_where_there_is_one_and_a_password_will_not_do(user: User) -> None:
    """C3.10: as strong as what the account has."""
    app = enrol_app(user)
    enrolment.make_recovery_codes(user, customer=factories.state_of(user.customer), context=factories.context())
    ada = visitor(user, stale=True)
    shown = ada.get("prove").text
    assert "Open your authenticator app" in shown
    assert "Another way: Recovery code" in shown
    assert "password" not in re.sub(r"<link[^>]*>", "", shown).lower()
    assert ada.post("prove?next=email&method=password", {"password": PASSWORD}).status == 400
    assert prove(ada, {"code": app.now()}) == ada.place("email")


def test_a_recovery_code_will_do(user: User) -> None:
    enrol_app(user)
    context = factories.context()
    codes = enrolment.make_recovery_codes(user, customer=factories.state_of(user.customer), context=context)
    ada = visitor(user, stale=True)
    assert prove(ada, {"code": codes[0].lower()}, method="recovery_code") == ada.place("email")


def test_a_passkey_is_asked_for_by_the_page(user: User, client_for: MakeClient) -> None:
    device = Authenticator()
    assert enrol_passkey(client_for(user.customer), factories.session(user).access, device).status == 201
    ada = visitor(user, stale=True)
    options = ada.get("prove?next=email").passkey_options
    for broken in ("", "{", "[]", "[" * 5000, '"x"', '{"id": 1, "id": 2}', "{}"):
        assert ada.post("prove?next=email", {"credential": broken}).status == 400
    assert prove(ada, {"credential": json.dumps(device.get(options))}) == ada.place("email")
    assert Passkey.objects.get().last_used_at


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "../../api/docs",
        "x?y",
        "%2f%2fevil",
        "javascript:x",
        "a//b",
        "é",
    ],
)
def test_it_leads_to_pages_of_this_account_alone(user: User, elsewhere: str) -> None:
    ada = visitor(user, stale=True)
    ada.get(f"prove?next={elsewhere}")
    assert prove(ada, {"password": PASSWORD}, elsewhere) == ada.place()


def test_too_many_wrong_proofs_end_the_session(user: User) -> None:
    """A thief of the cookie can guess a few times."""
    ada = visitor(user, stale=True)
    answers = [ada.post("prove", {"password": "wrong"}) for _ in range(11)]
    assert [answer.status for answer in answers] == [400] * 10 + [303]
    assert answers[-1].place == "/sign-in/acme"
    assert Session.objects.get(user=user).end_reason == "wrong_proofs"
    assert ada.browser.cookies[browser_session.cookie_name(user.customer_id)].value == ""


def test_a_form_sent_without_a_fresh_proof_is_not_done_after_it_either(user: User) -> None:
    """The proof says who is there, not what they want: a thief may have planted the form."""
    app = enrol_app(user)
    ada = visitor(user, stale=True)
    asked = ada.send("authenticator-app/remove")
    assert "nothing has been changed yet" in asked.said
    done = ada.send("prove?next=authenticator-app/remove", {"code": app.now()})
    assert "Remove the authenticator app?" in done.text
    user.totp.refresh_from_db()


def test_where_nothing_can_prove_it_another_sign_in_is_asked_for(user: User) -> None:
    """A passkey that seems to be copied opens nothing, but the account stays protected."""
    Passkey.objects.create(
        customer=user.customer,
        user=user,
        name="Copied",
        credential_id="x",
        public_key=b"x",
        created_at=user.created_at,
        suspected_clone_at=user.created_at,
    )
    ada = visitor(user, stale=True)
    assert "Please sign out, and sign in again." in ada.get("prove").text
    assert ada.post("prove", {"password": PASSWORD}).status == 400
    assert ada.post("prove", {"code": "123456"}).status == 400
