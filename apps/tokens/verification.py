"""From a token's text to what it is worth now (contract 3.3): find the key, check the signature, then the present state.

In this order, a made-up token costs no query about the session or user that it names.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors, valkey
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.customers import allowlist, keyring
from apps.customers import state as customers
from apps.customers.keyring import SigningKeys
from apps.customers.state import CustomerState
from apps.tokens import parsing, remembered_tokens, signing, state
from apps.tokens.errors import InvalidToken, TokenExpired
from apps.tokens.parsing import UnverifiedToken
from apps.tokens.proof import Proof
from apps.tokens.signing import TokenKind, VerifiedClaims
from apps.tokens.state import SessionState, TokenState
from apps.users.state import UserState

NOBODY = "nobody"  # the key's tag for events that no customer's secret vouches for
ASKED_ABOUT = {
    kind.typ: kind for kind in (TokenKind.ACCESS, TokenKind.REFRESH)
}  # by servers; a challenge is not for them


@dataclass(frozen=True)
class VerifiedToken:
    """A token that counts, with its customer, session and user as they are now."""

    claims: VerifiedClaims
    customer: CustomerState
    session: SessionState
    user: UserState

    @property
    def proof(self) -> Proof:
        """The proof that the token names, but never newer than the session's own."""
        return self.claims.proof.not_after(int(self.session.auth_time))


def verify(text: str, *, kind: TokenKind, context: RequestContext) -> VerifiedToken:
    """Everything that makes a token count. Raises MalformedToken, or an AuthenticationError, or CustomerSuspended."""
    return valid_now(presented(text, kind=kind, context=context), context.now)


def presented(text: str, *, kind: TokenKind, context: RequestContext) -> VerifiedClaims:
    """The claims of a genuine token that was presented. An expired one is a security event of the customer.

    Raises MalformedToken, InvalidToken or TokenExpired.
    """
    known = remembered_tokens.memory.timely(text, kind)
    if known is not None:
        return known
    token = parsing.parse(text)
    try:
        return _remembered(text, _check_signature(token, kind, context))
    except TokenExpired:
        customer_id = token.customer_id or NOBODY  # the customer's own secret has signed it
        if _first_this_minute(customer_id, actions.EXPIRED_TOKEN_REPLAYED, context):
            _report(actions.EXPIRED_TOKEN_REPLAYED, Severity.LOW, token.customer_id, context)
        raise


def valid_now(claims: VerifiedClaims, now: datetime) -> VerifiedToken:
    """A genuine token that counts at this moment. Raises InvalidToken, and what `state.require` raises."""
    return counting(state_of(claims, now), claims, now)


def state_of(claims: VerifiedClaims, now: datetime) -> TokenState:
    """Customer, session and user of a genuine token as they are now. Raises InvalidToken if there is no such customer."""
    present = state.read(claims, now)
    if present is None:
        raise InvalidToken
    return present


def counting(present: TokenState, claims: VerifiedClaims, now: datetime) -> VerifiedToken:
    """A token that counts in this state. Raises what `state.require` raises."""
    session, user = state.require(present, claims, now)
    return VerifiedToken(claims, present.customer, session, user)


def genuine(text: str, *, customer_id: UUID, context: RequestContext) -> VerifiedClaims:
    """The claims of an access or refresh token of this customer that is genuine and not expired, for a server that asks.

    It may still have been revoked. That a token has expired is no event here: the server wants to know it.
    Raises MalformedToken, InvalidToken or TokenExpired.
    """
    known = remembered_tokens.memory.timely(text, TokenKind.ACCESS)
    if known is not None and known.customer_id == customer_id:
        return known
    token = parsing.parse(text)
    kind = ASKED_ABOUT.get(token.header["typ"])
    if kind is None or token.customer_id != customer_id:
        raise InvalidToken
    return _remembered(text, _check_signature(token, kind, context))


def examine(text: str, *, customer_id: UUID, context: RequestContext) -> VerifiedToken:
    """What a token of this customer is worth now, for a server that asks. Raises as `verify` and `genuine` do."""
    return valid_now(genuine(text, customer_id=customer_id, context=context), context.now)


def verify_challenge(text: str, *, context: RequestContext) -> tuple[VerifiedClaims, CustomerState]:
    """A `2fa+jwt` that is genuine, and its customer. Whether it was used is the challenge's row to say.

    Raises MalformedToken, an AuthenticationError, CustomerSuspended or IpNotAllowed.
    """
    claims = presented(text, kind=TokenKind.CHALLENGE, context=context)
    return claims, customer_of(claims, context)


def customer_of(claims: VerifiedClaims, context: RequestContext) -> CustomerState:
    """The customer of a genuine token, if its tokens count now and from here. Raises InvalidToken, CustomerSuspended or IpNotAllowed."""
    try:
        customer = state.read_customer(claims, context.now)
    except NotFound as error:
        raise InvalidToken from error
    customers.require_active(customer)
    if claims.issuer != signing.issuer_of(customer.slug) or not customer.verifies(claims.kid, context.now):
        raise InvalidToken
    require_address(customer, context)
    return customer


def require_address(customer: CustomerState, context: RequestContext) -> None:
    """If the customer says so, the allowlist also binds tokens of every kind (contract 1.6). Raises IpNotAllowed."""
    if customer.enforce_allowlist_on_tokens:
        allowlist.check(customer, context.ip)


def _keys_of(token: UnverifiedToken, context: RequestContext) -> SigningKeys:
    """The version of secrets that the token names; from this process's memory once it is known. Raises InvalidToken."""
    customer_id, kid = token.customer_id, token.kid
    keys = keyring.signing_keys(customer_id, kid) if customer_id and kid else None
    if keys is not None:
        return keys
    if _first_this_minute(NOBODY, actions.SIGNATURE_FAILED, context):  # per address: ids can be made up without end
        _report(actions.SIGNATURE_FAILED, Severity.MEDIUM, _existing(customer_id), context)
    raise InvalidToken


def _check_signature(token: UnverifiedToken, kind: TokenKind, context: RequestContext) -> VerifiedClaims:
    keys = _keys_of(token, context)
    try:
        return signing.verify(token, keys=keys, kind=kind)
    except InvalidToken:
        if _first_this_minute(keys.customer_id, actions.SIGNATURE_FAILED, context):
            _report(actions.SIGNATURE_FAILED, Severity.MEDIUM, keys.customer_id, context)
        raise


def _remembered(text: str, claims: VerifiedClaims) -> VerifiedClaims:
    """An access token that was verified in full just now. Others are used once."""
    if claims.kind is TokenKind.ACCESS:
        remembered_tokens.memory.put(text, claims)
    return claims


def _existing(customer_id: UUID | None) -> UUID | None:
    """The id, if such a customer exists: events name no made-up ones."""
    try:
        return customers.read(customer_id).id if customer_id else None
    except NotFound:
        return None


def _first_this_minute(tag: UUID | str, action: str, context: RequestContext) -> bool:
    """Whether this address has done nothing of the kind within the last minute."""
    return valkey.is_first_this_minute(tag, "reported", action, counted_as(context.ip))


def _report(action: str, severity: Severity, customer_id: UUID | None, context: RequestContext) -> None:
    nobody = context.by(actors.ANONYMOUS)  # the bearer is the actor: a customer's server only passes the token on
    events.record(action=action, outcome=Outcome.FAILURE, severity=severity, customer_id=customer_id, context=nobody)
