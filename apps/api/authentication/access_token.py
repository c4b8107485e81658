"""The access token of a request: who is signed in by it, and the envelope under its own keys."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.api import handed_on
from apps.api.authentication import token_check
from apps.api.authentication.principal import Principal
from apps.api.refusals import Refusals
from apps.api_keys.errors import InvalidApiKey
from apps.core.errors import AuthenticationRequired
from apps.core.requests import context_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed
from apps.payloads.token_envelope import TokenEnvelope
from apps.tokens.errors import (
    CrossSiteRequest,
    InvalidToken,
    MalformedToken,
    SessionEnded,
    TokenExpired,
    TokenRevoked,
    UserInactive,
)

OF_A_TOKEN: Refusals = (
    *(MalformedToken, InvalidToken, TokenExpired, TokenRevoked, SessionEnded, UserInactive, CrossSiteRequest),
    *(CustomerSuspended, IpNotAllowed, InvalidApiKey),
)


class TokenAuthentication(BaseAuthentication):
    """What every view has unless it says otherwise."""

    refusals = (*OF_A_TOKEN, AuthenticationRequired)

    def authenticate(self, request: Request) -> tuple[Principal, TokenEnvelope | None] | None:
        asked = request._request  # noqa: SLF001  (Django's: DRF's finds each attribute by way of an exception)
        outcome = handed_on.outcome_of(asked.META, token_check.check)
        return outcome.get() if outcome else token_check.check(asked, context_of(asked))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
