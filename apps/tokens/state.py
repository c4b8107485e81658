"""Customer, session and user of a token as they are now, and whether the token still counts.

The customer's roles are read with them: a user may do what its role allows at this moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from sys import intern
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from apps.core.errors import NotFound
from apps.core.state import reading
from apps.core.state.kinds import Document, Kind, Rows
from apps.core.state.reading import Found
from apps.core.state.subjects import Subject
from apps.core.times import unix_time
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.tokens import payload_keys
from apps.tokens.errors import InvalidToken, SessionEnded, TokenRevoked, UserInactive
from apps.tokens.models import Delivery, RevokedToken, Session
from apps.tokens.signing import VerifiedClaims, issuer_of
from apps.users import roles
from apps.users import state as users
from apps.users.state import UserState

NONE_REVOKED: frozenset[str] = frozenset()  # one for all: an empty one takes 216 bytes


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session as it is at this moment. Times in unix seconds."""

    id: UUID
    user_id: UUID
    delivery: str
    sandbox_key_id: str
    oauth_client_id: str
    ended: bool
    expires_at: float
    last_activity_at: float
    auth_time: float
    revoked: frozenset[str]  # the jti of its access tokens that were ended early
    payload_key: bytes = field(repr=False)  # cookie mode: of its bodies; else empty

    @property
    def is_hosted(self) -> bool:
        """Whether the hosted pages keep its tokens."""
        return self.delivery == Delivery.HOSTED


@dataclass(frozen=True, slots=True)
class TokenState:
    """Everything that decides whether a token still counts. Session or user are None if they do not exist."""

    customer: CustomerState
    session: SessionState | None
    user: UserState | None


def subject(customer_id: UUID, session_id: UUID) -> Subject:
    """What the end of the session, or of one of its tokens, announces."""
    return Subject("session", customer_id, str(session_id))


def _rows(key: tuple[UUID, UUID]) -> Rows:
    customer_id, session_id = key
    revoked = ArraySubquery(RevokedToken.objects.filter(session=OuterRef("pk")).values("jti"))
    columns = ("user_id", "delivery", "sandbox_key_id", "oauth_client_id", "payload_key")
    times = ("ended_at", "expires_at", "last_activity_at", "auth_time")
    found: Rows = Session.objects.of(customer_id).filter(id=session_id).values(*columns, *times, revoked=revoked)
    return found


def _parse(key: tuple[UUID, UUID], row: Document) -> SessionState:
    _, session_id = key
    return SessionState(
        id=session_id,
        user_id=UUID(row["user_id"]),
        **{name: intern(row[name]) for name in ("delivery", "sandbox_key_id", "oauth_client_id")},
        ended=row["ended_at"] is not None,
        expires_at=unix_time(row["expires_at"]) or 0.0,
        last_activity_at=unix_time(row["last_activity_at"]) or 0.0,
        auth_time=unix_time(row["auth_time"]) or 0.0,
        revoked=frozenset(row["revoked"]) if row["revoked"] else NONE_REVOKED,
        payload_key=payload_keys.unsealed(session_id, row["payload_key"]),
    )


BY_ID: Kind[tuple[UUID, UUID], SessionState] = Kind("session", _rows, _parse, lambda key, _: subject(*key))


def read(claims: VerifiedClaims, now: datetime) -> TokenState | None:
    """The three as they are now; None if there is no such customer. From memory, and what is missing by one query."""
    remembered = reading.whole((claims.session_id, claims.user_id, claims.customer_id), partial(_read, claims))
    if remembered is not None and _may_have_moved_on(remembered, claims, now):
        return _made(claims, reading.read_anew)[0]
    return remembered


def read_customer(claims: VerifiedClaims, now: datetime) -> CustomerState:
    """The token's customer as it is now. Its roles, which are read next, come by the same query. Raises NotFound."""
    asked = customers.BY_ID.at(claims.customer_id)
    customer = reading.read(asked, roles.BY_CUSTOMER.at(claims.customer_id))[asked]
    if customer is None:
        raise NotFound
    return customer if customer.verifies(claims.kid, now) else customers.read_anew(claims.customer_id)


def _read(claims: VerifiedClaims) -> tuple[TokenState | None, bool]:
    return _made(claims, reading.read)


def _made(claims: VerifiedClaims, read_all: Callable[..., Found]) -> tuple[TokenState | None, bool]:
    """The three, and whether all of it was remembered."""
    customer = customers.BY_ID.at(claims.customer_id)
    session = BY_ID.at((claims.customer_id, claims.session_id))
    user = users.BY_ID.at((claims.customer_id, claims.user_id))
    table = roles.BY_CUSTOMER.at(claims.customer_id)
    found = read_all(customer, session, user, table)
    its, row = found[customer], found[user]
    if its is None:
        return None, False
    user_now = row.with_role(found[table]) if row else None
    return TokenState(customer=its, session=found[session], user=user_now), found.remembered


def _may_have_moved_on(state: TokenState, claims: VerifiedClaims, now: datetime) -> bool:
    """Whether the remembered state may refuse the token only because it is old.

    A refresh prolongs the session, and another proof makes `auth_time` later: neither is announced. A new version of the
    customer's secrets signs at once, perhaps before its announcement is heard. All other refusals are final, or announced when
    they end.
    """
    session = state.session
    if session is not None and (session.expires_at <= now.timestamp() or session.auth_time < claims.proof.auth_time):
        return True
    return not state.customer.verifies(claims.kid, now)


def require(state: TokenState, claims: VerifiedClaims, now: datetime) -> tuple[SessionState, UserState]:
    """The session and user of a token that counts. Raises CustomerSuspended, InvalidToken, TokenRevoked, SessionEnded, UserInactive."""
    customers.require_active(state.customer)
    if claims.issuer != issuer_of(state.customer.slug) or not state.customer.verifies(claims.kid, now):
        raise InvalidToken
    user = state.user
    if user is None or not user.may_sign_in:
        raise UserInactive
    session = state.session
    if session is not None and session.revoked and str(claims.jti) in session.revoked:
        raise TokenRevoked
    if session is None or session.ended or session.expires_at <= now.timestamp() or session.user_id != user.id:
        raise SessionEnded
    if session.delivery == Delivery.COOKIE and not session.payload_key:  # begun before sessions had a key
        raise SessionEnded
    return session, user
