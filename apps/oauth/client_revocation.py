"""A registered client ends a token that it was given (RFC 7009)."""

from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError
from apps.oauth.client_authentication import AuthenticatedClient
from apps.tokens import revocation, verification
from apps.tokens.errors import MalformedToken
from apps.tokens.models import Session


def revoke(text: str, *, client: AuthenticatedClient, context: RequestContext) -> None:
    """End the token. A text that is no living token of this client is left alone: it has nothing to say about others' tokens."""
    customer_id = client.customer.id
    try:
        claims = verification.genuine(text, customer_id=customer_id, context=context)
    except (MalformedToken, AuthenticationError):
        return
    mine = Session.objects.of(customer_id).filter(id=claims.session_id, oauth_client_id=client.client_id)
    if mine.exists():
        revocation.revoke(text, customer_id=customer_id, context=context)
