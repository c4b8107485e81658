"""New tokens for a refresh token. The view and the shortcut both ask `new_tokens`."""

from uuid import UUID

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import cors, handed_on
from apps.api.auth import token_answer
from apps.api.auth.token_answer import REFRESH_ANSWER
from apps.api.authentication import cookies
from apps.api.authentication.access_token import OF_A_TOKEN
from apps.api.authentication.api_key import key_of
from apps.api.base_views import PublicView
from apps.api.refusals import refuses_with
from apps.api.schema import security_schemes
from apps.api.serializers import StrictSerializer
from apps.api_keys import clients
from apps.api_keys.errors import InvalidApiKey
from apps.core.errors import RateLimited, ValidationFailed
from apps.core.requests import context_of
from apps.customers.state import CustomerState
from apps.tokens import parsing, refreshing
from apps.tokens.errors import RefreshTokenReused
from apps.tokens.minting import TokenPair

LONGEST = 8192  # of a token's text, in characters


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=LONGEST, required=False, trim_whitespace=False)


class RefreshView(PublicView):
    """New tokens for a refresh token; plain JSON, or the cookie. The shortcut (`refresh_shortcut`) answers most requests before."""

    @extend_schema(
        operation_id="refresh", request=RefreshSerializer, responses=REFRESH_ANSWER, auth=security_schemes.REFRESHING
    )
    @refuses_with(*OF_A_TOKEN, RefreshTokenReused, RateLimited)
    def post(self, request: Request) -> Response:
        outcome = handed_on.outcome_of(request.META, new_tokens)
        return token_answer.refreshed(outcome.get() if outcome else self._new_tokens(request))

    def _new_tokens(self, request: Request) -> TokenPair:
        """For the token in the body, else for that of the cookie."""
        told: str | None = self.read(RefreshSerializer).get("refresh_token")
        text = told or cookies.refresh_token_in(request.COOKIES)
        if not text:
            raise ValidationFailed(fields={"refresh_token": ["This field is required."]})
        return new_tokens(text, request._request, by_cookie="refresh_token" not in request.data)  # noqa: SLF001


def new_tokens(text: str, request: HttpRequest, *, by_cookie: bool) -> TokenPair:
    """New tokens for this one. A key that comes along must be of the token's customer."""
    context = context_of(request)
    key = key_of(request, bearer=False)
    if key is not None:
        found = clients.identify_client(text=key, key_required=True, context=context)
        if found.customer.id != parsing.parse(text).customer_id:
            raise InvalidApiKey
    return refreshing.refresh(text, context=context, check=_check(request, by_cookie=by_cookie)).pair


def _check(request: HttpRequest, *, by_cookie: bool) -> refreshing.Check:
    """Called when it is known whose token it is. A token that came by cookie must come from one of the customer's pages."""

    def check(customer: CustomerState, session_id: UUID) -> None:
        cors.limit_to_pages_of(customer, request)
        if by_cookie:
            cookies.require_same_site(request, session_id=session_id, customer=customer)

    return check
