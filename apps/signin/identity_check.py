"""Users who wait to be approved (provisional: helper F writes this)."""

from datetime import datetime

from apps.customers.standing import CustomerStanding
from apps.signin.models import IdentityCheck
from apps.users.models import User


def open_for(user: User, *, customer: CustomerStanding, now: datetime) -> None:
    """Let the user wait for approval. In the caller's transaction; doing it again changes nothing."""
    IdentityCheck.objects.get_or_create(user=user, defaults={"customer_id": customer.id, "created_at": now})
