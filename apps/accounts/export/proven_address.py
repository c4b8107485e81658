"""What may be somebody else's: anybody can register an address that is not theirs, and have a session before its owner comes.

So what a stranger can bring about by naming an address is exported only if the user has proven that address.
"""

from typing import TypeVar

from django.db.models import Model, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from apps.audit import actions
from apps.audit.models import Event
from apps.users.models import User

Row = TypeVar("Row", bound=Model)


def rows_since(rows: QuerySet[Row], user: User, *, at: str) -> QuerySet[Row]:
    """Those that came about while the user had an address that they have proven. `at`: the column that says when."""
    if user.email_verified_at is None:
        return rows.none()
    return rows.filter(**{f"{at}__gte": since(user)})


def since(user: User) -> Coalesce:
    """Since when the user has had an address that they have proven, then or later.

    A proof counts for the time before it too: the address was the user's all along. But a user who moved to another address
    before any proof has never proven the first one.
    """
    mine = Event.objects.of(user.customer_id).filter(user_id=user.id)
    proofs = mine.filter(action=actions.EMAIL_VERIFIED)
    first_proof_was_a_move = mine.filter(action=actions.EMAIL_CHANGED, at__in=proofs.values("at"))
    return Coalesce(Subquery(first_proof_was_a_move.values("at")[:1]), Value(user.created_at))
