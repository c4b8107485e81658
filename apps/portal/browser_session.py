"""Who is signed in at a customer's hosted pages, in this browser: a session whose refresh token is kept in a cookie.

The cookie is the session's only holder. The pages never rotate it; a fresh proof does, and then the cookie is set anew.
"""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError
from apps.customers.state import CustomerState
from apps.portal import host_cookies
from apps.tokens import refresh_tokens, sessions, verification
from apps.tokens.errors import MalformedToken
from apps.tokens.minting import TokenPair
from apps.tokens.models import RefreshToken
from apps.tokens.proof import Proof
from apps.tokens.signing import TokenKind
from apps.users.state import UserState


@dataclass(frozen=True)
class SignedInHere:
    """The user of this browser, as they are now. `proof`: when and how they have shown who they are."""

    user: UserState
    session_id: UUID
    proof: Proof
    refresh_token: RefreshToken


def read(request: HttpRequest, customer: CustomerState, context: RequestContext) -> SignedInHere | None:
    """Who is signed in here. None for nobody, whatever is wrong with the cookie. Raises IpNotAllowed."""
    text = request.COOKIES.get(cookie_name(customer.id))
    if not text:
        return None
    try:
        verified = verification.verify(text, kind=TokenKind.REFRESH, context=context)
        if verified.customer.id != customer.id or not verified.session.is_hosted:
            return None
        # One that was used counts for the grace: a fresh proof in another tab has replaced it while this request was on its way.
        row = refresh_tokens.counting_row(verified, context.now)
    except (MalformedToken, AuthenticationError):
        return None
    sessions.note_activity(customer_id=customer.id, session=verified.session, now=context.now)
    return SignedInHere(verified.user, verified.session.id, verified.proof, row)


def put(response: HttpResponseBase, pair: TokenPair, customer: CustomerState) -> None:
    """Have the browser keep this session."""
    left = int((pair.refresh_expires_at - timezone.now()).total_seconds())
    _set(response, customer, pair.refresh, max_age=left)


def clear(response: HttpResponseBase, customer: CustomerState) -> None:
    """Have the browser forget its session."""
    _set(response, customer, "", max_age=0)


def end(signed_in: SignedInHere, customer: CustomerState, context: RequestContext) -> None:
    """Sign out: the session is over, wherever a copy of the cookie may be."""
    with suppress(AuthenticationError):  # it ended a moment ago
        sessions.log_out(
            customer_id=customer.id,
            user_id=signed_in.user.id,
            session_id=signed_in.session_id,
            jti=signed_in.refresh_token.access_jti,
            token_expires_at=signed_in.refresh_token.access_expires_at,
            context=context,
        )


def cookie_name(customer_id: UUID) -> str:
    return host_cookies.name_for("hosted", customer_id)


def _set(response: HttpResponseBase, customer: CustomerState, value: str, *, max_age: int) -> None:
    host_cookies.put(response, cookie_name(customer.id), value, max_age=max_age)
