"""Giving a user another address, by a change or by undoing one."""

from apps.accounts import erasure
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.state.announcements import announce
from apps.users import emails, state
from apps.users.models import BuiltInRole, User


def give(user: User, email: str, context: RequestContext) -> None:
    """Give the user this address, which is proven. Raises IntegrityError if it is taken.

    A user who has registered the address without proving it is erased. But one who owns the customer, or has been given a
    role or permissions, has not merely registered: that user stays, and the address is taken.
    """
    squatter = (
        User.objects.of(user.customer_id)
        .filter(email_identity=emails.identity(email), email_verified_at=None)
        .filter(is_owner=False, role=BuiltInRole.COMPANY_USER, permissions=[])
        .exclude(id=user.id)
        .first()
    )
    if squatter is not None:
        erasure.erase(customer_id=user.customer_id, user_id=squatter.id, context=context.by(actors.SYSTEM))
    user.email, user.email_identity, user.email_verified_at = email, emails.identity(email), context.now
    user.save(update_fields=["email", "email_identity", "email_verified_at"])
    announce(state.subject(user.customer_id, user.id))
