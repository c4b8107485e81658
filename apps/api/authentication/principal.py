"""Who is signed in: the user of an access token, as they are now."""

from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request

from apps.core.errors import AuthenticationRequired
from apps.customers.state import CustomerState
from apps.tokens import verification
from apps.tokens.errors import InsufficientUserAuthentication
from apps.tokens.proof import Proof
from apps.tokens.signing import VerifiedClaims
from apps.tokens.state import SessionState
from apps.tokens.verification import VerifiedToken
from apps.users import directory
from apps.users.models import User
from apps.users.state import UserState


@dataclass(frozen=True)
class Principal:
    """The signed-in user of a request, with customer, session and token. Made by the authentication classes alone."""

    user: UserState
    customer: CustomerState
    session: SessionState
    jti: UUID
    token_expires_at: int  # unix time
    proof: Proof
    claims: VerifiedClaims = field(repr=False)

    @classmethod
    def of(cls, verified: VerifiedToken) -> "Principal":
        return cls(
            user=verified.user,
            customer=verified.customer,
            session=verified.session,
            jti=verified.claims.jti,
            token_expires_at=verified.claims.expires_at,
            proof=verified.proof,
            claims=verified.claims,
        )

    @property
    def user_id(self) -> UUID:
        return self.user.id

    @property
    def session_id(self) -> UUID:
        return self.session.id

    @property
    def delivery(self) -> str:
        return self.session.delivery

    @property
    def customer_id(self) -> UUID:
        return self.customer.id

    @property
    def is_authenticated(self) -> bool:
        """For DRF."""
        return True


def principal_of(request: Request) -> Principal:
    """Who is signed in. Raises AuthenticationRequired if nobody is."""
    if not isinstance(request.user, Principal):
        raise AuthenticationRequired
    return request.user


def customer_of(request: Request) -> CustomerState:
    """The customer whose user is signed in."""
    return principal_of(request).customer


def user_of(request: Request) -> User:
    """The row of the signed-in user, to change it. Raises NotFound if it was erased a moment ago."""
    who = principal_of(request)
    return directory.get(who.customer_id, who.user_id)


def require_fresh_proof(request: Request) -> None:
    """Raises InsufficientUserAuthentication unless the user has proven who they are a short while ago (contract 3.10)."""
    who = principal_of(request)
    max_age = who.customer.reauthenticate_after
    if not who.proof.is_fresh(max_age=max_age, now=timezone.now()):
        raise InsufficientUserAuthentication(max_age=max_age)


def require_still_signed_in(request: Request) -> None:
    """For calls that take long: the session goes on, and user and customer are active. Raises what a new call would be refused with.

    The token may have expired meanwhile: it was good when the call began.
    """
    verification.valid_now(principal_of(request).claims, timezone.now())
