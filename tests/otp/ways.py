"""Every way in which a code that was sent is used: arranged up to the code, with the call that uses it."""

from collections.abc import Callable

from apps.customers.models import Customer
from apps.factors import phones
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.accounts.moving import ask, confirm
from tests.accounts.registering import register, verify
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, login, member, second, send

NUMBER = "+4915112345678"
Use = Callable[[str], Answer]  # the call, with this code
Way = Callable[[Client, Customer], Use]


def sign_in(client: Client, _customer: Customer) -> Use:
    assert client.request_otp(EMAIL).status == 200
    return lambda code: client.verify_otp(EMAIL, code)


def verify_email(client: Client, _customer: Customer) -> Use:
    assert register(client).status == 202
    return lambda code: verify(client, code)


def change_email(client: Client, customer: Customer) -> Use:
    token = factories.session(member(customer)).access
    assert ask(client, token).status == 202
    return lambda code: confirm(client, token, code)


def second_factor_by_mail(client: Client, customer: Customer) -> Use:
    factories.policy(customer, second_factor="required")
    member(customer)
    token = login(client).document["session_token"]
    assert send(client, token, "email").status == 200
    return lambda code: second(client, token, "email", code=code)


def second_factor_by_sms(client: Client, customer: Customer) -> Use:
    user = member(customer)
    with_a_phone(user)
    token = login(client).document["session_token"]
    assert send(client, token, "sms").status == 200
    return lambda code: second(client, token, "sms", code=code)


def enrolling_on_the_way_in(client: Client, customer: Customer) -> Use:
    factories.policy(customer, second_factor="required")
    member(customer)
    client.request_otp(EMAIL)
    token = client.verify_otp(EMAIL, newest_code()).document["session_token"]
    begun = {"session_token": token, "method": "sms", "phone": NUMBER}
    assert client.before_sign_in("/api/auth/2fa/enrol", begun).status == 200
    return lambda code: second(client, token, "sms", code=code)


def enrolling_a_phone(client: Client, customer: Customer) -> Use:
    token = factories.session(member(customer)).access
    assert client.post("/api/auth/2fa/sms", {"phone": NUMBER}, token=token).status == 202
    return lambda code: client.post("/api/auth/2fa/sms/confirm", {"code": code}, token=token)


WAYS: list[Way] = [
    sign_in,
    verify_email,
    change_email,
    second_factor_by_mail,
    second_factor_by_sms,
    enrolling_on_the_way_in,
    enrolling_a_phone,
]


def with_a_phone(user: User) -> None:
    """A confirmed number."""
    facts = {"customer": factories.state_of(user.customer), "context": factories.context()}
    phones.begin(user, number=NUMBER, **facts)
    phones.confirm(user, newest_code(), **facts)


__all__ = ["PASSWORD", "WAYS", "Way"]
