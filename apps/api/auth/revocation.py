"""Token revocation for the customers' servers (RFC 7009)."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.presented_token import TokenSerializer
from apps.api.authentication.api_key import client_of, required_key_of
from apps.api.base_views import ApiKeyView
from apps.api_keys.models import Scope
from apps.core import actors
from apps.core.requests import context_of
from apps.tokens import revocation


class RevokeView(ApiKeyView):
    """Ends a token: an access token by itself, a refresh token with its session. 200 whatever the token is."""

    required_scope = Scope.TOKENS_REVOKE

    @extend_schema(operation_id="revoke", request=TokenSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        token, customer = self.read(TokenSerializer)["token"], client_of(request).customer
        context = context_of(request).by(actors.api_key(required_key_of(request).key_id))
        revocation.revoke(token, customer_id=customer.id, context=context)
        return Response({})  # RFC 7009 section 2.2: the status says it all
