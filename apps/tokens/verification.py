"""From a token's text to what it is worth now (contract 3.3): find the key, check the signature, then the present."""

from dataclasses import dataclass
from datetime import datetime

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import valkey
from apps.core.client_address import counted_as
from apps.core.ids import parse_id
from apps.core.requests import Caller
from apps.customers import keyring
from apps.customers.standing import CustomerStanding
from apps.tokens import parsing, signing
from apps.tokens import standing as standings
from apps.tokens.errors import InvalidToken, TokenExpired
from apps.tokens.parsing import UnverifiedToken
from apps.tokens.signing import TokenKind, VerifiedClaims
from apps.tokens.standing import SessionStanding, Standing
from apps.users.standing import UserStanding

ONCE_A_MINUTE = 60  # seconds: how often the same address makes the same security event


@dataclass(frozen=True)
class Verified:
    """A token that counts, and how the three it speaks of stand."""

    claims: VerifiedClaims
    customer: CustomerStanding
    session: SessionStanding
    user: UserStanding


def verify(text: str, *, kind: TokenKind, caller: Caller, now: datetime) -> Verified:
    """Everything that makes a token count. Raises MalformedToken, or an AuthenticationError, or CustomerSuspended."""
    token = parsing.parse(text)
    standing = _standing_of(token)
    try:
        claims = _check_signature(token, kind, standing.customer)
    except InvalidToken:
        _report(actions.SIGNATURE_FAILED, Severity.MEDIUM, standing.customer, caller, now)
        raise
    except TokenExpired:
        _report(actions.EXPIRED_TOKEN_REPLAYED, Severity.LOW, standing.customer, caller, now)
        raise
    session, user = standings.require(standing, claims, now)
    return Verified(claims, standing.customer, session, user)


def _standing_of(token: UnverifiedToken) -> Standing:
    """How those stand whom the token claims to speak of; nothing is granted by that."""
    customer_id = token.customer_id
    session_id, user_id = parse_id(token.payload.get("sid")), parse_id(token.payload.get("sub"))
    if customer_id is None or session_id is None or user_id is None:
        raise InvalidToken
    standing = standings.read(customer_id=customer_id, session_id=session_id, user_id=user_id)
    if standing is None:
        raise InvalidToken
    return standing


def _check_signature(token: UnverifiedToken, kind: TokenKind, customer: CustomerStanding) -> VerifiedClaims:
    kid = token.kid
    keys = keyring.signing_keys(customer.id, kid) if kid else None
    if keys is None:
        raise InvalidToken
    return signing.verify(token, keys=keys, kind=kind, customer=customer)


def _report(action: str, severity: Severity, customer: CustomerStanding, caller: Caller, now: datetime) -> None:
    """A security event, at most once a minute for an address, so that garbage cannot fill the log."""
    try:
        with valkey.reachable():
            name = valkey.key(customer.id, "reported", action, counted_as(caller.ip))
            first = valkey.client().set(name, b"1", nx=True, ex=ONCE_A_MINUTE)
    except valkey.ValkeyUnavailable:
        return
    if first:
        events.record(
            action=action,
            outcome=Outcome.FAILURE,
            severity=severity,
            customer_id=customer.id,
            caller=caller,
            now=now,
        )
