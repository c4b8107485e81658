"""A client refreshes the session that it was given (OAuth 2.1 section 4.3), by the same rules as any session (contract 3.6)."""

from dataclasses import dataclass, field
from uuid import UUID

from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError
from apps.customers.state import CustomerState
from apps.oauth import client_tokens, grants
from apps.oauth.client_authentication import AuthenticatedClient
from apps.oauth.client_tokens import ClientTokens, Grant
from apps.oauth.errors import InvalidGrant, InvalidScope
from apps.oauth.models import AuthorizationCode
from apps.tokens import refreshing
from apps.tokens.errors import MalformedToken
from apps.users import state as users


@dataclass(frozen=True)
class ClientRefresh:
    """A client presents its refresh token. `scopes`: those that it wants this time; None: all that were granted."""

    client: AuthenticatedClient
    refresh_token: str = field(repr=False)
    scopes: tuple[str, ...] | None
    context: RequestContext


def refresh(attempt: ClientRefresh) -> ClientTokens:
    """New tokens. Raises InvalidGrant, InvalidScope, RateLimited."""
    grants_found: list[Grant] = []

    def check(customer: CustomerState, session_id: UUID) -> None:
        """What is refused is refused before the refresh token is used up."""
        grants_found.append(_grant(attempt, customer, session_id))

    try:
        fresh = refreshing.refresh(
            attempt.refresh_token, oauth_client_id=attempt.client.client_id, context=attempt.context, check=check
        )
    except (MalformedToken, AuthenticationError) as error:
        raise InvalidGrant from error
    return client_tokens.give(grants_found[0], fresh.pair, attempt.context.now)


def _grant(attempt: ClientRefresh, customer: CustomerState, session_id: UUID) -> Grant:
    code = grants.of_session(customer.id, session_id)
    user = users.read(customer.id, code.user_id) if code else None
    if code is None or code.session is None or user is None or not user.is_active:
        raise InvalidGrant
    proof = client_tokens.proof_of(code.session)
    return Grant(attempt.client.client_id, customer, user, _scopes(attempt, code, customer), proof)


def _scopes(attempt: ClientRefresh, code: AuthorizationCode, customer: CustomerState) -> tuple[str, ...]:
    """Raises InvalidScope for more than was granted (RFC 6749 section 6)."""
    granted = grants.scopes_that_count(code, customer)
    if attempt.scopes is None:
        return granted
    if set(attempt.scopes) - set(granted):
        raise InvalidScope
    return attempt.scopes
