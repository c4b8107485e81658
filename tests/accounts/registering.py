"""Registering at a customer and proving the address, as a client does."""

from apps.customers.models import Customer
from demo.client import Answer, Client
from tests.signin.entering import EMAIL, PASSWORD, generous

STRANGERS = "the password of a stranger"


def register(client: Client, password: str = PASSWORD, email: str = EMAIL, **fields: object) -> Answer:
    return client.before_sign_in("/api/auth/register", {"email": email, "password": password, **fields})


def verify(client: Client, otp: str, email: str = EMAIL, **fields: object) -> Answer:
    return client.before_sign_in("/api/auth/verify-email", {"email": email, "otp": otp, **fields})


def quick(**policy: object) -> Customer:
    return generous(code_resend_after=0, **policy)
