"""Closing an account. Opening it again (`users.lifecycle.reactivate`) revives nothing of what was ended here."""

from django.db import transaction

from apps.core.context import RequestContext
from apps.otp import code_requests
from apps.tokens import sessions
from apps.tokens.models import EndReason
from apps.users import lifecycle
from apps.users.models import User


def deactivate(user: User, *, context: RequestContext) -> None:
    """Close the account, end its sessions, and withdraw the codes that were sent to its address.

    Doing it again changes nothing. Raises NotFound.

    The user is locked first: a sign-in at the same moment either has its session by then, which ends, or gets none.
    """
    with transaction.atomic():
        lifecycle.deactivate(user, context=context)
        sessions.end_all(
            customer_id=user.customer_id,
            user_id=user.id,
            reason=EndReason.USER_DEACTIVATED,
            context=context,
        )
        code_requests.withdraw_on_commit(user.customer_id, user.email_identity)
