"""How a user stands, told to the customer's own servers (contract 4, `internal/verify-user`)."""

from uuid import UUID

from apps.core.errors import NotFound
from apps.users import directory, emails
from apps.users import standing as users
from apps.users.standing import UserStanding


def by_id(customer_id: UUID, user_id: UUID) -> UserStanding:
    """The customer's user of this id, as it is now. Raises NotFound."""
    user = users.read(customer_id, user_id)
    if user is None:
        raise NotFound
    return user


def by_email(customer_id: UUID, email: str) -> UserStanding:
    """The customer's user of this address, as it is now. Raises ValidationFailed or NotFound."""
    user = directory.find(customer_id, emails.parse(email).identity)
    if user is None:
        raise NotFound
    return users.of(user)
