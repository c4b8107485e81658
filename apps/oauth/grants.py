"""What users have granted to clients, found by the session that a grant gave."""

from uuid import UUID

from apps.customers.state import CustomerState
from apps.oauth import scopes
from apps.oauth.models import AuthorizationCode


def of_session(customer_id: UUID, session_id: UUID) -> AuthorizationCode | None:
    """The grant that gave this session; None for a session that no registered client has."""
    mine = AuthorizationCode.objects.of(customer_id).filter(session_id=session_id)
    return mine.select_related("client", "session").first()


def scopes_that_count(grant: AuthorizationCode, customer: CustomerState) -> tuple[str, ...]:
    """The scopes that were granted, without those that the customer does not support, or the client may not ask for, any more."""
    left = set(scopes.supported(customer)) & set(grant.client.scopes)
    return tuple(scope for scope in grant.scopes if scope in left)
