"""The cookie by which a browser is known that is not asked for the second factor again: signed, and one for each user here."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.customers.state import CustomerState
from apps.portal import host_cookies

MOST = 5  # users who share a browser


def tokens(request: HttpRequest, customer: CustomerState) -> tuple[str, ...]:
    """What this browser has of devices remembered at this customer. A cookie that we have not signed counts for nothing."""
    return tuple(_genuine(request, customer))[:MOST]


def put(response: HttpResponseBase, token: str, *, user_id: UUID, customer: CustomerState) -> None:
    """Have the browser keep this token as long as the customer lets it count."""
    name = f"{_prefix(customer)}{user_id.hex[-host_cookies.DIGITS :]}"
    kept = timedelta(days=customer.remember_device_days)
    host_cookies.put(response, name, _signer(customer).sign(token), max_age=kept)


def _genuine(request: HttpRequest, customer: CustomerState) -> Iterator[str]:
    for name, value in request.COOKIES.items():
        if name.startswith(_prefix(customer)):
            try:
                yield _signer(customer).unsign(value)
            except signing.BadSignature:
                continue


def _prefix(customer: CustomerState) -> str:
    return f"{host_cookies.name_for('device', customer.id)}_"


def _signer(customer: CustomerState) -> signing.Signer:
    return signing.Signer(salt=f"gatehouse.remembered-device/{customer.id}")
