"""How customer, session and user of a token stand now: one round trip to Valkey, PostgreSQL if that does not know.

The customer's roles are read along with them, for what the user may do is what its role gives at this moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from apps.core import snapshots, valkey
from apps.core.snapshots import Loader, State
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.tokens.errors import InvalidToken, SessionEnded, TokenRevoked, UserInactive
from apps.tokens.models import Session
from apps.tokens.signing import VerifiedClaims, issuer_of
from apps.users import roles
from apps.users import state as users
from apps.users.state import UserState


@dataclass(frozen=True)
class SessionState:
    """A session as it is at this moment. Times in unix seconds."""

    id: UUID
    user_id: UUID
    delivery: str
    sandbox_key_id: str
    ended: bool
    expires_at: float
    last_activity_at: float
    auth_time: float
    revoked: frozenset[str]  # the jti of its access tokens that were ended early


@dataclass(frozen=True)
class TokenState:
    """All that decides whether a token still counts. Session or user are None when there is none such."""

    customer: CustomerState
    session: SessionState | None
    user: UserState | None


def session_key(customer_id: UUID, session_id: UUID) -> str:
    """The Valkey key of the snapshot."""
    return valkey.key(customer_id, "session", str(session_id))


def load_session(customer_id: UUID, session_id: UUID) -> State | None:
    """The state from PostgreSQL; None for no such session of this customer."""
    session = Session.objects.of(customer_id).filter(id=session_id).first()
    if session is None:
        return None
    return {
        "id": str(session.id),
        "user_id": str(session.user_id),
        "delivery": session.delivery,
        "sandbox_key_id": session.sandbox_key_id,
        "ended": session.ended_at is not None,
        "expires_at": session.expires_at.timestamp(),
        "last_activity_at": session.last_activity_at.timestamp(),
        "auth_time": session.auth_time.timestamp() if session.auth_time else 0.0,
        "revoked": [str(jti) for jti in session.revoked_tokens.values_list("jti", flat=True)],
    }


def parse_session(state: Mapping[str, Any]) -> SessionState:
    identities = {"id": UUID(state["id"]), "user_id": UUID(state["user_id"])}
    return SessionState(**{**state, **identities, "revoked": frozenset(state["revoked"])})


def read(*, customer_id: UUID, session_id: UUID, user_id: UUID) -> TokenState | None:
    """How the three stand; None for no such customer. No query and one round trip when Valkey knows."""
    loaders: dict[str, Loader] = {
        customers.key(customer_id): partial(customers.load, customer_id),
        session_key(customer_id, session_id): partial(load_session, customer_id, session_id),
        users.key(customer_id, user_id): partial(users.load, customer_id, user_id),
        roles.key(customer_id): partial(roles.load, customer_id),
    }
    customer, session, user, table = snapshots.read_through(loaders).values()
    if customer is None:
        return None
    return TokenState(
        customer=customers.parse(customer),
        session=parse_session(session) if session else None,
        user=users.parse(user, roles.parse(table)) if user else None,
    )


def require(standing: TokenState, claims: VerifiedClaims, now: datetime) -> tuple[SessionState, UserState]:
    """The session and user of a token that counts. Raises CustomerSuspended, InvalidToken, TokenRevoked, SessionEnded, UserInactive."""
    customers.require_active(standing.customer)
    if claims.issuer != issuer_of(standing.customer.slug) or not standing.customer.verifies(claims.kid, now):
        raise InvalidToken
    user = standing.user
    if user is None or not user.may_sign_in:
        raise UserInactive
    session = standing.session
    if session is not None and str(claims.jti) in session.revoked:
        raise TokenRevoked
    if session is None or session.ended or session.expires_at <= now.timestamp() or session.user_id != user.id:
        raise SessionEnded
    return session, user
