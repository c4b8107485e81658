"""Closing an account: its tokens are worthless at once, and its sessions end, so that opening it again revives none of them."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from apps.core.requests import Caller
from apps.core.snapshots import Propagation
from apps.tokens import sessions
from apps.tokens.models import EndReason
from apps.users import lifecycle
from apps.users.models import User

Close = Callable[[User, datetime], None]

_register: list[Close] = []


def register(close: Close) -> None:
    """Have `close` called in the transaction of each deactivation: for rooms above, which know of other ways in."""
    _register.append(close)


def deactivate(user: User, *, actor: str, caller: Caller | None, now: datetime) -> Propagation:
    """Deactivate the user, end every session, and withdraw what else would open the account once it is open again.

    Doing it again changes nothing. Raises NotFound.

    The row is locked first: who is just signing in either has a session by then, which ends, or gets none.
    """
    with transaction.atomic():
        told = lifecycle.deactivate(user, actor=actor, caller=caller, now=now)
        sessions.end_all(
            customer_id=user.customer_id,
            user_id=user.id,
            reason=EndReason.USER_DEACTIVATED,
            actor=actor,
            caller=caller,
            now=now,
        )
        for close in _register:
            close(user, now)
        return told
