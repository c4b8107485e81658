"""Looking up a user for the customer's own servers (contract 4, `internal/verify-user`)."""

from uuid import UUID

from apps.core.errors import NotFound
from apps.users import directory, emails
from apps.users import state as users
from apps.users.state import UserState


def by_id(customer_id: UUID, user_id: UUID) -> UserState:
    """The customer's user of this id, as it is now. Raises NotFound."""
    user = users.read(customer_id, user_id)
    if user is None:
        raise NotFound
    return user


def by_email(customer_id: UUID, email: str) -> UserState:
    """The customer's user of this address, as it is now. Raises ValidationFailed or NotFound."""
    user = directory.find(customer_id, emails.parse(email).identity)
    if user is None:
        raise NotFound
    return users.of(user)
