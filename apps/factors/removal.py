"""Taking factors away: by their user, by an operator, or all at once."""

from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.users.models import User


def remove_all(user: User) -> None:
    """Every factor of the user, in the caller's transaction. Says nothing to anybody: whoever calls knows why."""
    for model in (Totp, Phone, Passkey, RecoveryCode):
        model.objects.filter(user=user).delete()
