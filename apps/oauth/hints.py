"""`id_token_hint`: an id token of ours, by which an app says whom it means. It proves nothing, and may have expired."""

from datetime import datetime
from uuid import UUID

from apps.customers.state import CustomerState
from apps.oauth.models import RegisteredClient
from apps.tokens import id_tokens


def user_in(hint: str, *, client: RegisteredClient, customer: CustomerState, now: datetime) -> UUID | None:
    """Whom the hint means. None without a hint, and for one that was not given to this client."""
    facts = id_tokens.read(hint, customer=customer, now=now) if hint else None
    return facts.user_id if facts and facts.audience == client.client_id else None
