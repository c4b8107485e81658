"""Arranging users with passwords and factors, and taking the steps of a sign-in as a client does."""

from datetime import timedelta

import pyotp
from django.utils import timezone

from apps.customers import state
from apps.customers.models import Customer
from apps.factors import totp
from apps.signin import passwords
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories

EMAIL, PASSWORD = "ada@example.com", "a horse that jumps the fence"
FRESH = "and a second horse behind it"  # the password after that one


def member(of: Customer, email: str = EMAIL, password: str = PASSWORD, **facts: object) -> User:
    """A user with a proven address and a password."""
    user = factories.user(of, email, **{"email_verified_at": timezone.now(), **facts})
    passwords.put(user, passwords.encode(password), by_mail=False, now=timezone.now())
    return user


def generous(**policy: object) -> Customer:
    """A customer whose limits are too high to get in the test's way."""
    customer = factories.customer(**policy)
    names = ("tries_per_ip", "tries_per_email", "tries_per_email_and_ip", "second_factors_per_user")
    factories.first_limits(customer, *names, count=1_000_000)
    return customer


def login(client: Client, password: str = PASSWORD, email: str = EMAIL, **fields: object) -> Answer:
    return client.before_sign_in("/api/auth/login", {"email": email, "password": password, **fields})


def second(client: Client, session_token: str, method: str, **fields: object) -> Answer:
    return client.before_sign_in("/api/auth/2fa/verify", {"session_token": session_token, "method": method, **fields})


def send(client: Client, session_token: str, method: str) -> Answer:
    return client.before_sign_in("/api/auth/2fa/send", {"session_token": session_token, "method": method})


def enrol_app(user: User) -> pyotp.TOTP:
    """An authenticator app of the user's, whose next code is still unused. 000000 is wrong for as long as a test runs."""
    customer, a_while_ago = state.read(user.customer_id), timezone.now() - timedelta(minutes=5)
    app = pyotp.TOTP(totp.begin(user, customer=customer, now=a_while_ago).secret)
    while "000000" in {app.at(a_while_ago, counter_offset=step) for step in range(8, 20)}:  # half a minute each
        app = pyotp.TOTP(totp.begin(user, customer=customer, now=a_while_ago).secret)
    totp.keep(user, app.at(a_while_ago), customer=customer, context=factories.context(now=a_while_ago))
    return app
