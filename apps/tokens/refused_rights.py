"""A signed-in user lacks a role or permission, or is not active yet: a refusal like any other (contract 8)."""

from apps.audit import refusals, steps
from apps.audit.refusals import NewRefusal
from apps.core import actors
from apps.core.context import RequestContext
from apps.users.models import UserStatus
from apps.users.state import UserState

PENDING, LACKING = "user_pending", "permission_denied"


def record(user: UserState, context: RequestContext) -> None:
    refusals.record_if_possible(
        NewRefusal(
            rule=PENDING if user.status == UserStatus.PENDING else LACKING,
            step=steps.CALL_WITH_TOKEN,
            customer_id=user.customer_id,
            user_id=user.id,
            context=context.by(actors.user(user.id)),
        )
    )
