"""A session that is about to begin: its row and that of its first tokens, and the tokens themselves."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import keyring
from apps.customers.state import CustomerState
from apps.tokens import minting, payload_keys
from apps.tokens.minting import TokenPair
from apps.tokens.models import RefreshToken, Session
from apps.tokens.proof import Proof
from apps.users import state as users
from apps.users.models import User
from apps.users.state import UserState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTokens:
    """A pair of tokens that is not written yet: the values of its row. The model itself would be made for nothing."""

    id: UUID
    session_id: UUID
    signing_secret_id: UUID
    access_jti: UUID
    issued_at: datetime
    access_expires_at: datetime
    expires_at: datetime

    @property
    def both_expire_at(self) -> datetime:
        """When both tokens have expired. By the policy either may live longer."""
        return max(self.access_expires_at, self.expires_at)

    def row(self) -> RefreshToken:
        """Not saved."""
        return RefreshToken(**{one.name: getattr(self, one.name) for one in fields(self)})


@dataclass(frozen=True)
class NewSession:
    """A session that is not written yet, with its first pair of tokens."""

    customer: CustomerState
    user: UserState
    row: Session
    refresh: NewTokens
    payload_key: bytes = field(repr=False)

    @classmethod
    def of(
        cls,
        customer: CustomerState,
        user: User,
        amr: tuple[str, ...],
        *,
        delivery: str,
        context: RequestContext,
        oauth_client_id: str = "",
        proven_at: datetime | None = None,
    ) -> Self:
        who = users.of(user)  # may take a query: before rows are locked, not while they are
        now = context.now.replace(microsecond=0)  # the tokens' times are whole seconds
        refresh = issue(customer=customer, session_id=new_id(), now=now)
        row = Session(
            id=refresh.session_id,
            customer_id=customer.id,
            user=user,
            delivery=delivery,
            sandbox_key_id=context.sandbox_key_id,
            oauth_client_id=oauth_client_id,
            ip=context.ip,
            user_agent=context.user_agent,
            request_mark=context.request_mark,
            created_at=now,
            last_activity_at=now,
            expires_at=refresh.both_expire_at,
            auth_time=proven_at or now,
            amr=" ".join(amr),
        )
        return cls(customer, who, row, refresh, payload_keys.seal_new(row))

    def tokens(self) -> TokenPair:
        row = self.row
        proof = Proof(int((row.auth_time or row.created_at).timestamp()), tuple(row.amr.split()))
        return minting.pair(
            customer=self.customer,
            user=self.user,
            refresh=self.refresh,
            proof=proof,
            delivery=row.delivery,
            payload_key=self.payload_key,
        )


def issue(*, customer: CustomerState, session_id: UUID, now: datetime) -> NewTokens:
    """A new pair of tokens, not written yet. `now` in whole seconds."""
    return NewTokens(
        id=new_id(),
        session_id=session_id,
        signing_secret_id=keyring.current_kid(customer),
        access_jti=new_id(),
        issued_at=now,
        access_expires_at=now + timedelta(seconds=customer.access_lifetime),
        expires_at=now + timedelta(seconds=customer.refresh_lifetime),
    )
