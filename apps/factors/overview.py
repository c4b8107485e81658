"""All that a user, or an operator, may see of the user's factors."""

from dataclasses import dataclass
from datetime import datetime

from apps.factors import enrolled, recovery_codes
from apps.factors.enrolled import Enrolled
from apps.factors.models import Passkey, Phone, Totp
from apps.users.models import User


@dataclass(frozen=True)
class Factors:
    """What is enrolled. It holds no secret, and of the phone number only a hint."""

    enrolled: Enrolled
    app_since: datetime | None
    phone: Phone | None
    passkeys: tuple[Passkey, ...]
    recovery_codes_left: int


def of(user: User) -> Factors:
    app = Totp.objects.filter(user=user, confirmed_at__isnull=False).first()
    return Factors(
        enrolled=enrolled.of(user.id),
        app_since=app.confirmed_at if app else None,
        phone=Phone.objects.filter(user=user, confirmed_at__isnull=False).first(),
        passkeys=tuple(Passkey.objects.filter(user=user)),
        recovery_codes_left=recovery_codes.left(user.id),
    )
