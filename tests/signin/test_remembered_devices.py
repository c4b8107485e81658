"""Browsers that are not asked for the second factor again: what stands in for it, and all that ends it."""

from datetime import timedelta

import pyotp
import pytest
from django.utils import timezone

from apps.accounts import deactivation
from apps.accounts.export import sections
from apps.api_keys.clients import ApiClient
from apps.audit.models import Event
from apps.core.errors import NotFound
from apps.customers.models import Customer
from apps.factors import recovery_codes, totp
from apps.factors.models import Passkey
from apps.otp import code_requests
from apps.otp.code_requests import CodeRequest
from apps.otp.purposes import LOGIN
from apps.signin import by_code, by_password, remembered_devices, second_factor, tasks
from apps.signin.by_password import PasswordSignIn
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.signin.models import RememberedDevice
from apps.signin.second_factor_attempts import SecondFactorAttempt, SecondFactorRequest
from apps.tokens import parsing
from apps.tokens.emergency_rotation import rotate_in_emergency
from apps.users import credentials, emails, lifecycle
from apps.users.models import User
from tests import factories
from tests.portal.visiting import mailed_code
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def enter(of: Customer, *tokens: str, email: str = EMAIL, **context: object) -> SignedIn | Challenged:
    """The password, in a browser that shows these tokens."""
    state = factories.state_of(of)
    return by_password.sign_in(
        PasswordSignIn(
            client_customer=state,
            customer=state,
            address=emails.parse(email),
            password=PASSWORD,
            delivery="hosted",
            context=factories.context(**context),
            device_tokens=tokens,
        )
    )


def pass_app(
    of: Customer, app: pyotp.TOTP, ended: SignedIn | Challenged, *, remember: bool = True, code: str = ""
) -> SignedIn:
    assert isinstance(ended, Challenged)
    now = timezone.now()
    attempt = SecondFactorAttempt(
        client=ApiClient(factories.state_of(of), None),
        session_token=ended.session_token,
        method="recovery_code" if code else "totp",
        context=factories.context(now=now, user_agent=FIREFOX),
        code=code or app.at(now),
        remember=remember,
    )
    passed = second_factor.verify(attempt).ended
    assert isinstance(passed, SignedIn)
    return passed


def remembering(days: int = 30, **policy: object) -> tuple[Customer, User, pyotp.TOTP]:
    customer = generous(remember_device_days=days, **policy)
    user = member(customer)
    return customer, user, enrol_app(user)


def amr_of(signed_in: SignedIn) -> object:
    return parsing.parse(signed_in.pair.access).payload["amr"]


def test_the_second_factor_is_not_asked_for_again_and_is_not_claimed() -> None:
    customer, _user, app = remembering()
    first = pass_app(customer, app, enter(customer))
    assert first.device_token
    assert amr_of(first) == ["pwd", "otp", "mfa"]
    again = enter(customer, first.device_token)
    assert isinstance(again, SignedIn)
    assert amr_of(again) == ["pwd"]
    assert again.device_token == ""
    assert isinstance(enter(customer), Challenged)
    row = RememberedDevice.objects.get()
    assert (row.name, row.passed, row.last_used_at is None) == ("Firefox on Linux", ["totp"], False)
    event = Event.objects.filter(action="sign_in").latest("id")
    assert event.details["remembered"] == str(row.id)


def test_nothing_is_remembered_unasked_or_where_the_customer_does_not_allow_it_or_by_a_recovery_code() -> None:
    customer, user, app = remembering()
    assert pass_app(customer, app, enter(customer), remember=False).device_token == ""
    code = recovery_codes.make(user, now=timezone.now())[0]
    assert pass_app(customer, app, enter(customer), code=code).device_token == ""
    other, _user, its_app = remembering(days=0)
    assert pass_app(other, its_app, enter(other)).device_token == ""
    assert not RememberedDevice.objects.exists()


def test_a_made_up_changed_or_moved_token_is_worth_nothing() -> None:
    """The attack: the token of another user, of another customer, or one that was guessed."""
    customer, _user, app = remembering()
    token = pass_app(customer, app, enter(customer)).device_token
    friend = member(customer, "grace@example.com")
    enrol_app(friend)
    assert isinstance(enter(customer, token, email="grace@example.com"), Challenged)
    other, _namesake, _its_app = remembering()
    assert isinstance(enter(other, token), Challenged)
    row_id, _dot, secret = token.partition(".")
    forged = (
        "",
        ".",
        row_id,
        f"{row_id}.",
        f"{row_id}.{secret[:-1]}{'E' if secret[-1] == 'A' else 'A'}",
        f"{friend.id}.{secret}",
        f"{row_id}.ä",
        f"\0.{secret}",
    )
    for text in forged:
        assert isinstance(enter(customer, text), Challenged)
    assert isinstance(enter(customer, *forged[:4], token), SignedIn)
    assert isinstance(enter(customer, *["x.y"] * 5, token), Challenged)  # so many are looked up, and no more


def test_it_is_over_when_it_is_forgotten() -> None:
    customer, user, app = remembering()
    state, context = factories.state_of(customer), factories.context()
    token = pass_app(customer, app, enter(customer)).device_token
    friend = member(customer, "grace@example.com")
    [device] = remembered_devices.living(user, customer=state, now=context.now)
    with pytest.raises(NotFound):
        remembered_devices.forget(friend, device.id, customer=state, context=context)
    remembered_devices.forget(user, device.id, customer=state, context=context)
    with pytest.raises(NotFound):
        remembered_devices.forget(user, device.id, customer=state, context=context)
    assert isinstance(enter(customer, token), Challenged)
    assert remembered_devices.forget_all(user, customer=state, context=context) == 0
    assert {"device_remembered", "devices_forgotten"} <= set(Event.objects.values_list("action", flat=True))


def change_password(user: User) -> None:
    credentials.change(user, now=timezone.now())


def add_passkey(user: User) -> None:
    Passkey.objects.create(
        customer=user.customer, user=user, name="x", credential_id="x", public_key=b"x", created_at=timezone.now()
    )


def replace_app(user: User) -> None:
    now = timezone.now() + timedelta(minutes=5)
    state = factories.state_of(user.customer)
    secret = totp.begin(user, customer=state, now=now).secret
    totp.keep(user, pyotp.TOTP(secret).at(now), customer=state, context=factories.context(now=now))


def close_and_open(user: User) -> None:
    deactivation.deactivate(user, context=factories.context("system"))
    lifecycle.reactivate(user, context=factories.context("system"))


def rotate(user: User) -> None:
    rotate_in_emergency(user.customer, context=factories.context("system"))


@pytest.mark.parametrize("change", [change_password, add_passkey, replace_app, close_and_open, rotate])
def test_any_change_of_credentials_factors_or_secrets_ends_it(change: object) -> None:
    """C4: what a change of credentials voids."""
    customer, user, app = remembering()
    token = pass_app(customer, app, enter(customer)).device_token
    assert isinstance(enter(customer, token), SignedIn)
    change(user)  # type: ignore[operator]
    user.refresh_from_db()
    assert isinstance(enter(customer, token), Challenged)
    assert remembered_devices.living(user, customer=factories.state_of(customer), now=timezone.now()) == []


def test_it_ends_with_its_days_and_with_the_policy() -> None:
    customer, user, app = remembering()
    token = pass_app(customer, app, enter(customer)).device_token
    in_a_month = timezone.now() + timedelta(days=31)
    assert isinstance(enter(customer, token, now=in_a_month), Challenged)
    factories.policy(customer, remember_device_days=1)
    in_two_days = timezone.now() + timedelta(days=2)
    assert isinstance(enter(customer, token), SignedIn)
    assert isinstance(enter(customer, token, now=in_two_days), Challenged)
    factories.policy(customer, remember_device_days=0)
    assert isinstance(enter(customer, token), Challenged)
    RememberedDevice.objects.update(expires_at=timezone.now() - timedelta(days=2))
    assert tasks.remove_expired() == 1
    assert not RememberedDevice.objects.filter(user=user).exists()


def test_where_a_factor_is_demanded_it_stands_in_for_what_was_given_and_enrols_nothing() -> None:
    """C4: "required" and "both"."""
    customer, user, app = remembering(second_factor="required")
    token = pass_app(customer, app, enter(customer)).device_token
    assert isinstance(enter(customer, token), SignedIn)
    factories.policy(customer, second_factor="both")  # a passkey and a number, which were not given then
    asked = enter(customer, token)
    assert isinstance(asked, Challenged)
    assert asked.missing.methods
    assert asked.missing.enrol == ()
    assert user.remembered_devices.count() == 1


def test_a_user_keeps_a_limited_number() -> None:
    customer, user, app = remembering()
    for _ in range(remembered_devices.MOST + 2):
        app_again = replaced_step(user, app)
        pass_app(customer, app_again, enter(customer))
    assert user.remembered_devices.count() == remembered_devices.MOST


def replaced_step(user: User, app: pyotp.TOTP) -> pyotp.TOTP:
    """The same app, whose code may be used once more."""
    user.totp.__class__.objects.filter(user=user).update(last_step=0)
    return app


def test_the_export_names_it_without_its_secret() -> None:
    customer, user, app = remembering()
    token = pass_app(customer, app, enter(customer)).device_token
    section = sections.find("remembered_devices")
    assert section
    [told] = [section.represent(row) for row in section.rows(user)]
    assert told["second_factors"] == ["totp"]
    assert token.partition(".")[2] not in str(told)
    assert token not in repr(SignedIn(user, False, enter(customer, token).pair, (), token))  # type: ignore[union-attr]


def test_a_code_by_mail_that_was_given_then_stands_in_for_none_after_a_code_by_mail() -> None:
    """C4: an email code is a second factor only after a password. Else somebody who reads the mailbox would need nothing more."""
    customer, user, _app = remembering()
    asked = enter(customer)
    assert isinstance(asked, Challenged)
    client = ApiClient(factories.state_of(customer), None)
    wanted = {"client": client, "session_token": asked.session_token, "method": "email"}
    second_factor.send(SecondFactorRequest(**wanted, context=factories.context()))
    by_mail = SecondFactorAttempt(**wanted, context=factories.context(), code=mailed_code(), remember=True)
    passed = second_factor.verify(by_mail).ended
    assert isinstance(passed, SignedIn)
    assert isinstance(enter(customer, passed.device_token), SignedIn)
    code_requests.request_code(
        CodeRequest(
            customer=client.customer,
            address=emails.parse(EMAIL),
            purpose=LOGIN,
            locale="",
            context=factories.context(now=timezone.now() + timedelta(minutes=2)),
        )
    )
    by_code_alone = by_code.CodeSignIn(
        customer=client.customer,
        address=emails.parse(EMAIL),
        code=mailed_code(),
        delivery="hosted",
        context=factories.context(),
        device_tokens=(passed.device_token,),
    )
    assert isinstance(by_code.sign_in(by_code_alone), Challenged)
    assert user.remembered_devices.count() == 1
