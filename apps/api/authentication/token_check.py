"""All checks of a request's access token, in one function: for DRF's views, and for what answers before Django's handler."""

from django.http import HttpRequest

from apps.api import cors
from apps.api.authentication import cookies
from apps.api.authentication.api_key import key_of
from apps.api.authentication.principal import Principal
from apps.api_keys import clients, keys
from apps.api_keys.errors import InvalidApiKey
from apps.audit import refusals, steps
from apps.audit.refusals import NewRefusal
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationRequired, GatehouseError
from apps.core.requests import facts_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed
from apps.customers.state import CustomerState
from apps.payloads.token_envelope import TokenEnvelope
from apps.tokens import payload_keys, sessions, verification
from apps.tokens.errors import UserInactive
from apps.tokens.signing import TokenKind, VerifiedClaims
from apps.tokens.state import TokenState

SCHEME = "bearer"
# That a session has ended, or a token has expired, is the rule and no exception: no event.
WORTH_AN_EVENT = (CustomerSuspended, IpNotAllowed, InvalidApiKey, UserInactive)
GENUINE_ENVELOPE = "gatehouse.genuine_envelope"  # in the environment, where no header can claim this name


def check(request: HttpRequest, context: RequestContext) -> tuple[Principal, TokenEnvelope] | None:
    """Who is signed in, and the envelope of bodies. None if there is no token at all.

    A token in the header goes before one in a cookie (contract 3.8). Of the request only META, method and COOKIES are read:
    for `headers` Django copies them all first. Raises the errors of `access_token.OF_A_TOKEN`, and AuthenticationRequired.
    """
    header = header_token(request)
    text = header or cookies.access_token_in(request.COOKIES)
    if text is None:
        return None
    claims = verification.presented(text, kind=TokenKind.ACCESS, context=context)
    try:
        return _check_genuine(request, context, claims, by_header=header is not None)
    except WORTH_AN_EVENT as error:
        refusals.note(error, _refusal(error, claims, context))
        raise


def _check_genuine(
    request: HttpRequest, context: RequestContext, claims: VerifiedClaims, *, by_header: bool
) -> tuple[Principal, TokenEnvelope]:
    present = verification.state_of(claims, context.now)
    envelope = request.META[GENUINE_ENVELOPE] = _envelope(claims, present)
    verified = verification.counting(present, claims, context.now)
    if not by_header:
        cookies.require_same_site(request, session_id=verified.session.id, customer=verified.customer)
    require_same_customer(request, verified.customer, context)
    verification.require_address(verified.customer, context)
    sessions.note_activity(customer_id=verified.customer.id, session=verified.session, now=context.now)
    cors.limit_to_pages_of(verified.customer, request)
    facts_of(request).sandbox_key_id = verified.session.sandbox_key_id
    return Principal.of(verified), envelope


def _refusal(error: GatehouseError, claims: VerifiedClaims, context: RequestContext) -> NewRefusal:
    return NewRefusal(
        rule=error.refused_by,
        step=steps.CALL_WITH_TOKEN,
        customer_id=claims.customer_id,
        user_id=claims.user_id,
        context=context.by(actors.user(claims.user_id)),
    )


def genuine_envelope_of(request: HttpRequest) -> TokenEnvelope | None:
    """Of a token whose signature is right, even if it was refused later."""
    found: TokenEnvelope | None = request.META.get(GENUINE_ENVELOPE)
    return found


def header_token(request: HttpRequest) -> str | None:
    """The access token in Authorization. Raises AuthenticationRequired if something else stands there."""
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    scheme, _, rest = header.partition(" ")
    text: str = rest.strip()
    if scheme.lower() != SCHEME or not text or text.startswith(keys.PREFIX):
        raise AuthenticationRequired
    return text


def require_same_customer(request: HttpRequest, customer: CustomerState, context: RequestContext) -> None:
    """An API key may come along with a token. Raises InvalidApiKey if it is another customer's, and what `identify_client` raises."""
    key = key_of(request, bearer=False)
    if key is not None:
        found = clients.identify_client(text=key, key_required=True, context=context)
        if found.customer.id != customer.id:
            raise InvalidApiKey


def _envelope(claims: VerifiedClaims, present: TokenState) -> TokenEnvelope:
    key = present.session.payload_key if present.session else b""
    return payload_keys.envelope(claims, key=key)
