"""Which factors a user has, in one statement."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery

from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.users.models import User

PASSKEY, TOTP, SMS, RECOVERY_CODE = "passkey", "totp", "sms", "recovery_code"


@dataclass(frozen=True)
class Enrolled:
    """The confirmed factors, in the order in which they are offered. `phone_hint`: what may be shown of the number."""

    methods: tuple[str, ...]
    phone_hint: str = ""

    @property
    def has_any(self) -> bool:
        """Recovery codes stand in for a factor; alone they are none."""
        return bool(set(self.methods) - {RECOVERY_CODE})


def of(user_id: UUID) -> Enrolled:
    """What the user has enrolled. A passkey suspected to be a clone does not count."""
    mine = OuterRef("id")
    row = (
        User.objects.filter(id=user_id)
        .annotate(
            passkey_there=Exists(Passkey.objects.filter(user=mine, suspected_clone_at=None)),
            totp_there=Exists(Totp.objects.filter(user=mine, confirmed_at__isnull=False)),
            hint=Subquery(Phone.objects.filter(user=mine, confirmed_at__isnull=False).values("hint")[:1]),
            recovery_there=Exists(RecoveryCode.objects.filter(user=mine, used_at=None)),
        )
        .values_list("passkey_there", "totp_there", "hint", "recovery_there")
        .first()
    )
    if row is None:
        return Enrolled(())
    names = (PASSKEY, TOTP, SMS, RECOVERY_CODE)
    return Enrolled(tuple(name for name, there in zip(names, row, strict=True) if there), phone_hint=row[2] or "")
