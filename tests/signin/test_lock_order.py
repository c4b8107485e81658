"""Flows that change anything of a user's lock the user first: of two at once none waits for the other in a ring.

In each, one flow stops in its middle until the other waits for it. PostgreSQL ends a ring by failing one of both (503).
"""

import pyotp
import pytest
from django.db.models import F

from apps.accounts import erasure
from apps.core import actors
from apps.factors import recovery_codes
from apps.signin import completion, pending_sign_in
from apps.signin.models import Challenge, Password
from apps.tokens.models import Session
from apps.users import directory
from apps.users.models import User
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.meanwhile import Intruder
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, enrol_app, generous, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)


def test_confirming_an_app_while_it_is_removed(client_for: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = generous()
    user = member(customer)
    enrol_app(user)
    recovery_codes.RecoveryCode.objects.all().delete()
    client, token = client_for(customer), factories.session(user).access
    begun = client.post("/api/auth/2fa/totp", {}, token=token).document
    removing = Intruder(lambda: client.delete("/api/auth/2fa/totp", token=token).status)
    make = recovery_codes.make_if_none

    def interrupted(*args: object, **options: object) -> tuple[str, ...]:
        removing.begin()
        return make(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(recovery_codes, "make_if_none", interrupted)
    confirmed = client.post("/api/auth/2fa/totp/confirm", {"code": pyotp.TOTP(begun["secret"]).now()}, token=token)
    assert (confirmed.status, removing.result()) == (200, 200)


def test_a_password_while_a_first_code_comes_back(client_for: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first proof of the mailbox takes the password away that was set before it."""
    customer = generous()
    member(customer, email_verified_at=None)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code, proceed = newest_code(), completion.proceed
    proving = Intruder(lambda: client.verify_otp(EMAIL, code).status)

    def interrupted(pending: pending_sign_in.PendingSignIn) -> object:
        proving.begin()
        return proceed(pending)

    monkeypatch.setattr(completion, "proceed", interrupted)
    assert login(client).status == 200
    assert proving.result() == 200
    assert not Password.objects.exists()
    assert Session.objects.filter(ended_at=None).count() == 1, "whoever set that password is out"


def test_no_next_challenge_outlives_a_reset(client_for: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = generous(second_factor="both")
    user = member(customer)
    client, device = client_for(customer), Authenticator()
    enrol_passkey(client, factories.session(user).access, device)
    token = login(client).document["session_token"]
    forgot(client)
    mailed, proceed = mailed_token(), completion.proceed
    resetting = Intruder(lambda: reset(client, mailed).status)

    def interrupted(pending: pending_sign_in.PendingSignIn) -> object:
        resetting.begin()
        return proceed(pending)

    monkeypatch.setattr(completion, "proceed", interrupted)
    credential = device.get(send(client, token, "passkey").document)
    assert second(client, token, "passkey", credential=credential).status == 200
    assert resetting.result() == 200
    assert not Challenge.objects.filter(used_at=None, credentials_version=F("user__credentials_version")).exists()


def test_who_is_erased_while_signing_in_does_not_get_in(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure happens just before the user is locked."""
    customer = generous()
    user = member(customer)
    client, lock = client_for(customer), directory.lock

    def interrupted(user_id: object) -> User | None:
        monkeypatch.setattr(directory, "lock", lock)
        erasure.erase(customer_id=customer.id, user_id=user.id, context=factories.context(actors.SYSTEM))
        return lock(user.id)

    monkeypatch.setattr(directory, "lock", interrupted)
    assert login(client).error_type == "invalid_credentials"
    assert not Session.objects.exists()
