"""Authenticator apps (RFC 6238): a secret shown once, and codes that are accepted once each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pyotp
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import ciphers, names, qr_codes, rate_limits, sealed, typed_codes
from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers.state import CustomerState
from apps.factors import enrolment, methods
from apps.factors.errors import InvalidFactorCode
from apps.factors.models import Totp
from apps.users import credentials, directory
from apps.users.models import User

STEP_SECONDS, DIGITS, WINDOW = 30, 6, 1
NAME = "Authenticator app"


@dataclass(frozen=True)
class AppEnrolment:
    """What an app needs, and a picture of it. The secret never shows in a repr."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)

    def document(self) -> dict[str, Any]:
        """For the answer: secret (base32), `otpauth:` URI, and the QR code."""
        return {"secret": self.secret, "uri": self.uri, "qr_svg": self.picture()}

    def picture(self) -> str:
        """The URI as a QR code: an SVG element."""
        return qr_codes.drawn(self.uri, title=_("QR code for your authenticator app"))


def begin(user: User, *, customer: CustomerState, now: datetime) -> AppEnrolment:
    """A fresh secret, to be confirmed by a first code. An app that is confirmed already works until then. Raises NotFound."""
    secret = pyotp.random_base32()
    with transaction.atomic():
        present = directory.hold(user.id)
        row = Totp.objects.filter(user=user).first() or Totp(id=new_id(), user=user, created_at=now)
        sealed.write(row, "pending_secret", secret.encode())
        row.pending_version = present.credentials_version
        row.save()
    return _enrolment(secret, user, customer)


def begun(user: User, *, customer: CustomerState) -> AppEnrolment | None:
    """The app that waits for its first code, to be shown once more: a reload or a mistyped code must not change the secret.

    None if there is none, or if the user's credentials have changed since it was begun.
    """
    row = _waiting(user)
    return _enrolment(sealed.read(row, "pending_secret").decode(), user, customer) if row else None


def confirm(user: User, code: str, *, customer: CustomerState, context: RequestContext) -> tuple[str, ...]:
    """Confirm the app by its first code. Returns fresh recovery codes for a user who has none.

    Raises InvalidFactorCode, RateLimited or ValkeyUnavailable.
    """
    hit = enrolment.count_try(user, customer=customer)
    try:
        with rate_limits.uncounted_if_it_fails(hit):
            return keep(user, code, customer=customer, context=context)
    except InvalidFactorCode:
        enrolment.note_wrong(user, factor=methods.TOTP, customer=customer, context=context)
        raise


def keep(user: User, code: str, *, customer: CustomerState, context: RequestContext) -> tuple[str, ...]:
    """The same for a flow that has counted the try already, as sign-in does. Raises InvalidFactorCode."""
    with transaction.atomic():
        row = _begun(user)
        step = step_of(code, sealed.read(row, "pending_secret").decode(), context.now) if row else None
        if row is None or step is None:
            raise InvalidFactorCode
        if row.confirmed_at is not None:  # this app replaces another
            credentials.change(user, now=context.now)
        sealed.write(row, "secret", sealed.read(row, "pending_secret"))
        row.pending_secret, row.confirmed_at, row.last_step = "", context.now, step
        row.save()
        return enrolment.complete(user, factor=methods.TOTP, name=NAME, customer=customer, context=context)


def _enrolment(secret: str, user: User, customer: CustomerState) -> AppEnrolment:
    issuer = _labelled(customer.name) or customer.slug
    return AppEnrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=_labelled(user.email), issuer_name=issuer))


def _labelled(text: str) -> str:
    """Without colons: apps take a colon for the end of the issuer, however it is encoded, and refuse a label with two."""
    return names.tidy(text.replace(":", " "))


def _begun(user: User) -> Totp | None:
    """The app that is to be confirmed, unless the user's credentials have changed since. Locks the user."""
    return _waiting(directory.hold(user.id))


def _waiting(user: User) -> Totp | None:
    """`user`: as it is now."""
    return Totp.objects.filter(user=user, pending_version=user.credentials_version).exclude(pending_secret="").first()


def check(user_id: UUID, code: str, *, now: datetime) -> bool:
    """Whether the app shows this code now. Each time step is accepted once: one statement decides."""
    row = Totp.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    step = step_of(code, sealed.read(row, "secret").decode(), now) if row else None
    if row is None or step is None:
        return False
    return Totp.objects.filter(id=row.id, secret=row.secret, last_step__lt=step).update(last_step=step) == 1


def step_of(code: str, secret: str, now: datetime) -> int | None:
    """The time step of this code, one either side of the present allowed for clocks that differ (RFC 6238 section 5.2)."""
    offered = typed_codes.read(code).encode()
    generator = pyotp.HOTP(secret, digits=DIGITS)
    present = int(now.timestamp()) // STEP_SECONDS
    near = range(max(0, present - WINDOW), present + WINDOW + 1)
    found = [step for step in near if ciphers.equal(generator.at(step).encode(), offered)]
    return found[-1] if found else None
