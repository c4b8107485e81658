"""Which factors a user has enrolled, in one statement; and a digest of the whole set, which no change of it leaves the same."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from apps.core import ciphers
from apps.core.lookups import ValuesLookup
from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.users.models import User


@dataclass(frozen=True)
class Enrolled:
    """The confirmed factors, in the order in which they are offered. `phone_hint`: what may be shown of the number.

    `has_copied_passkey`: there is a passkey that seems to have been copied. It opens nothing, but the account stays protected.
    """

    methods: tuple[str, ...]
    phone_hint: str = ""
    has_copied_passkey: bool = False

    @property
    def has_usable(self) -> bool:
        """Whether a factor can be used. Recovery codes replace a factor; alone they are none."""
        return bool(set(self.methods) - {RECOVERY_CODE})

    @property
    def held(self) -> tuple[str, ...]:
        """The methods of all factors, including a passkey that is refused because it may have been copied."""
        copied = (PASSKEY,) if self.has_copied_passkey and PASSKEY not in self.methods else ()
        return (*copied, *self.methods)

    @property
    def has_any(self) -> bool:
        """Whether a second factor is asked for. A suspected copy counts: otherwise using a copy would switch it off."""
        return self.has_usable or self.has_copied_passkey


def confirmed() -> dict[str, Exists | Subquery]:
    """What is confirmed of a user, for a query of users to be annotated with: `of_annotated` reads it."""
    mine = OuterRef("id")
    return {
        "passkey_there": Exists(Passkey.objects.filter(user=mine, suspected_clone_at=None)),
        "totp_there": Exists(Totp.objects.filter(user=mine, confirmed_at__isnull=False)),
        "hint": Subquery(Phone.objects.filter(user=mine, confirmed_at__isnull=False).values("hint")[:1]),
        "recovery_there": Exists(RecoveryCode.objects.filter(user=mine, used_at=None)),
        "copy_there": Exists(Passkey.objects.filter(user=mine, suspected_clone_at__isnull=False)),
    }


def _rows(user_id: UUID) -> "QuerySet[User, tuple[Any, ...]]":
    found = confirmed()
    return User.objects.filter(id=user_id).annotate(**found).values_list(*found)


_CONFIRMED = ValuesLookup(_rows)


def of(user_id: UUID) -> Enrolled:
    """What the user has enrolled."""
    rows = _CONFIRMED.all(user_id)
    return _enrolled(*rows[0]) if rows else Enrolled(())


def of_annotated(user: Any) -> Enrolled:
    """What a user has enrolled who was read with `confirmed`."""
    return _enrolled(user.passkey_there, user.totp_there, user.hint, user.recovery_there, user.copy_there)


def _enrolled(passkey: bool, app: bool, hint: str | None, recovery: bool, copy: bool) -> Enrolled:  # noqa: FBT001  (columns)
    names = (PASSKEY, TOTP, SMS, RECOVERY_CODE)
    methods = tuple(name for name, is_there in zip(names, (passkey, app, hint, recovery), strict=True) if is_there)
    return Enrolled(methods, phone_hint=hint or "", has_copied_passkey=copy)


def digest_of_set(user_id: UUID) -> bytes:
    """32 bytes that change whenever a factor is added, replaced or removed, or a passkey is refused as a copy."""
    passkeys = Passkey.objects.filter(user_id=user_id, suspected_clone_at=None).values_list("id", "created_at")
    apps = Totp.objects.filter(user_id=user_id, confirmed_at__isnull=False).values_list("id", "confirmed_at")
    numbers = Phone.objects.filter(user_id=user_id, confirmed_at__isnull=False).values_list("id", "confirmed_at")
    since = (f"{factor_id} {at.isoformat()}" for factor_id, at in passkeys.union(apps, numbers, all=True))
    return ciphers.digest("\n".join(sorted(since)).encode())
