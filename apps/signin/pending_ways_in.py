"""What has been begun and would still lead into an account: challenges, and links in mails. A deactivation withdraws both."""

from datetime import datetime

from apps.signin import challenges, recovery
from apps.tokens import deactivation
from apps.users.models import User


def register() -> None:
    """Called when Django starts."""
    deactivation.register(_withdraw)


def _withdraw(user: User, now: datetime) -> None:
    challenges.void(user, now=now)
    recovery.withdraw_links(user, now=now)
