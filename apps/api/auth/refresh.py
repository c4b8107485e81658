"""New tokens for a refresh token."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import cors
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


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=8192, required=False, trim_whitespace=False)


class RefreshView(PublicView):
    """New tokens for a refresh token; plain JSON, or the cookie."""

    @extend_schema(
        operation_id="refresh", request=RefreshSerializer, responses=REFRESH_ANSWER, auth=security_schemes.REFRESHING
    )
    @refuses_with(*OF_A_TOKEN, RefreshTokenReused, RateLimited)
    def post(self, request: Request) -> Response:
        text = self._refresh_token()
        context = context_of(request)
        key = key_of(request, bearer=False)
        if key is not None:
            found = clients.identify_client(text=key, key_required=True, context=context)
            if found.customer.id != parsing.parse(text).customer_id:
                raise InvalidApiKey
        fresh = refreshing.refresh(text, context=context, check=_check(request))
        return token_answer.refreshed(fresh.pair)

    def _refresh_token(self) -> str:
        """From the body, else from the cookie."""
        text = self.read(RefreshSerializer).get("refresh_token") or cookies.refresh_token_in(self.request.COOKIES)
        if not text:
            raise ValidationFailed(fields={"refresh_token": ["This field is required."]})
        return str(text)


def _check(request: Request) -> refreshing.Check:
    """Called when it is known whose token it is. A token that came by cookie must come from one of the customer's pages."""

    def check(customer: CustomerState, session_id: UUID) -> None:
        cors.limit_to_pages_of(customer, request)
        if "refresh_token" not in request.data:
            cookies.require_same_site(request, session_id=session_id, customer=customer)

    return check
