"""What the customers' own servers ask (RFC 7662, RFC 7009, a user's standing), and the documents for those who verify offline."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.auth import token_answers
from apps.api.auth.servers_serializers import (
    ConfigurationSerializer,
    IntrospectionSerializer,
    JwksSerializer,
    RevocationSerializer,
    TokenSerializer,
    UserStateSerializer,
    WhichUserSerializer,
)
from apps.api.envelope import Envelope
from apps.api.form_parser import StrictFormParser
from apps.api.parsers import EnvelopeParser
from apps.api.refusals import refuses_with
from apps.api.sandbox import KeyView
from apps.api_keys.models import Scope
from apps.core import actors
from apps.core.errors import NotFound
from apps.core.requests import context_of
from apps.customers import state as customers
from apps.customers.errors import CustomerSuspended
from apps.customers.state import CustomerState
from apps.tokens import discovery, inquiry, introspection, revocation
from apps.users.state import UserState

OK = 200
KEYS_CACHED_SECONDS = 60  # for so long a key of an emergency rotation is believed elsewhere, or a new one not known
CONFIGURATION_CACHED_SECONDS = 300


class FromServer(KeyView):
    """The base of what a customer's server asks about its own users: strict JSON, or a form."""

    parser_classes: Any = (EnvelopeParser, StrictFormParser)
    envelope = Envelope.PLAIN


class Introspect(FromServer):
    """What a token is worth now. Anything but a token of the key's own customer is `{"active": false}`."""

    required_scope = Scope.TOKENS_INTROSPECT

    @extend_schema(operation_id="introspect", request=TokenSerializer, responses=IntrospectionSerializer)
    def post(self, request: Request) -> Response:
        found = introspection.introspect(
            _token_in(request), customer_id=_customer_of(request).id, context=context_of(request)
        )
        return Response(found)


class Revoke(FromServer):
    """Ends a token: an access token by itself, a refresh token with its session. 200 whatever the token is."""

    required_scope = Scope.TOKENS_REVOKE

    @extend_schema(operation_id="revoke", request=TokenSerializer, responses=RevocationSerializer)
    def post(self, request: Request) -> Response:
        revocation.revoke(
            _token_in(request),
            customer_id=_customer_of(request).id,
            context=context_of(request).by(actors.api_key(request.user.api_key.key_id)),  # type: ignore[union-attr]  # HasKeyWithScope saw to it
        )
        return Response({})


class VerifyUser(FromServer):
    """How one of the customer's users stands now, by id or by email. 404 when it has no such user."""

    required_scope = Scope.INTERNAL

    @extend_schema(operation_id="verify_user", request=WhichUserSerializer, responses=UserStateSerializer)
    @refuses_with(NotFound)
    def post(self, request: Request) -> Response:
        wanted = WhichUserSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given, customer_id = wanted.validated_data, _customer_of(request).id
        if "user_id" in given:
            return Response(_standing(inquiry.by_id(customer_id, given["user_id"])))
        return Response(_standing(inquiry.by_email(customer_id, given["email"])))


class Published(APIView):
    """The base of a customer's public documents: for anybody, from any origin, to be kept for a short while."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    envelope = Envelope.PLAIN
    cached_seconds: ClassVar[int]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Access-Control-Allow-Origin"] = "*"
        final["Cross-Origin-Resource-Policy"] = "cross-origin"
        kept = final.status_code == OK
        final["Cache-Control"] = f"public, max-age={self.cached_seconds}" if kept else "no-store"
        return final


class Jwks(Published):
    """The public keys of the customer's access tokens; none for HS256 and HS512."""

    cached_seconds = KEYS_CACHED_SECONDS

    @extend_schema(operation_id="customer_jwks", responses=JwksSerializer, auth=[])
    @refuses_with(CustomerSuspended)
    def get(self, request: Request, slug: str) -> Response:
        return _publish(discovery.jwks, slug)


class Configuration(Published):
    """The customer's metadata (OpenID Connect Discovery, RFC 8414)."""

    cached_seconds = CONFIGURATION_CACHED_SECONDS

    @extend_schema(operation_id="customer_configuration", responses=ConfigurationSerializer, auth=[])
    @refuses_with(CustomerSuspended)
    def get(self, request: Request, slug: str) -> Response:
        return _publish(discovery.configuration, slug)


def _publish(document: Callable[[CustomerState, datetime], dict[str, Any]], slug: str) -> Response:
    return Response(document(customers.find(slug), timezone.now()))


def _token_in(request: Request) -> str:
    given = TokenSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["token"])


def _customer_of(request: Request) -> CustomerState:
    return request.customer  # type: ignore[attr-defined, no-any-return]  # put there by ApiKeyAuthentication


def _standing(user: UserState) -> dict[str, Any]:
    return {
        **token_answers.describe(user, user.permissions),
        "active": user.is_active,
        "email_verified": user.email_verified,
        "locale": user.locale,
    }
