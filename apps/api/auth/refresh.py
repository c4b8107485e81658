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
from apps.api.authentication.token_check import require_same_customer
from apps.api.base_views import PublicView
from apps.api.refusals import refuses_with
from apps.api.schema import security_schemes
from apps.api.serializers import StrictSerializer
from apps.core.context import RequestContext
from apps.core.errors import RateLimited, ValidationFailed
from apps.core.requests import context_of
from apps.customers.state import CustomerState
from apps.tokens import refreshing
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
    """New tokens for this one. Raises the errors of `OF_A_TOKEN`, RefreshTokenReused or RateLimited."""
    context = context_of(request)
    return refreshing.refresh(text, context=context, check=_check(request, context, by_cookie=by_cookie)).pair


def _check(request: HttpRequest, context: RequestContext, *, by_cookie: bool) -> refreshing.Check:
    """Called when it is known whose token it is. A key that comes along must be of the same customer.

    A token that came by cookie must come from one of the customer's pages.
    """

    def check(customer: CustomerState, session_id: UUID) -> None:
        cors.limit_to_pages_of(customer, request)
        require_same_customer(request, customer, context)
        if by_cookie:
            cookies.require_same_site(request, session_id=session_id, customer=customer)

    return check
