"""A customer's public documents, for servers that verify its tokens offline."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base_views import PublicView
from apps.api.refusals import refuses_with
from apps.customers import state as customers
from apps.customers.errors import CustomerSuspended
from apps.customers.state import CustomerState
from apps.tokens import discovery

OK = 200
KEYS_CACHED_SECONDS = 60  # so long others may trust a key after an emergency rotation, or not know a new one
CONFIGURATION_CACHED_SECONDS = 300


class JwksSerializer(serializers.Serializer[Any]):
    keys = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class ConfigurationSerializer(serializers.Serializer[Any]):
    """OpenID Connect Discovery 1.0; RFC 8414."""

    issuer = serializers.CharField(help_text="the tokens' `iss`")
    jwks_uri = serializers.URLField()
    token_endpoint = serializers.URLField()
    token_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())
    introspection_endpoint = serializers.URLField()
    introspection_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())
    revocation_endpoint = serializers.URLField()
    revocation_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())
    grant_types_supported = serializers.ListField(child=serializers.CharField())
    response_types_supported = serializers.ListField(child=serializers.CharField())
    subject_types_supported = serializers.ListField(child=serializers.CharField())
    id_token_signing_alg_values_supported = serializers.ListField(child=serializers.CharField())
    access_token_signing_alg_values_supported = serializers.ListField(child=serializers.CharField())
    claims_supported = serializers.ListField(child=serializers.CharField())


class PublicDocumentView(PublicView):
    """The base of a customer's public documents: for anybody, from any origin, to be kept for a short while."""

    cached_seconds: ClassVar[int]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Access-Control-Allow-Origin"] = "*"
        final["Cross-Origin-Resource-Policy"] = "cross-origin"
        kept = final.status_code == OK
        final["Cache-Control"] = f"public, max-age={self.cached_seconds}" if kept else "no-store"
        return final


class CustomerJwksView(PublicDocumentView):
    """The public keys of the customer's access tokens; none for HS256 and HS512."""

    cached_seconds = KEYS_CACHED_SECONDS

    @extend_schema(operation_id="customer_jwks", responses=JwksSerializer, auth=[])
    @refuses_with(CustomerSuspended)
    def get(self, request: Request, slug: str) -> Response:
        return _publish(discovery.jwks, slug)


class CustomerConfigurationView(PublicDocumentView):
    """The customer's metadata (OpenID Connect Discovery, RFC 8414)."""

    cached_seconds = CONFIGURATION_CACHED_SECONDS

    @extend_schema(operation_id="customer_configuration", responses=ConfigurationSerializer, auth=[])
    @refuses_with(CustomerSuspended)
    def get(self, request: Request, slug: str) -> Response:
        return _publish(discovery.configuration, slug)


def _publish(document: Callable[[CustomerState, datetime], dict[str, Any]], slug: str) -> Response:
    return Response(document(customers.find(slug), timezone.now()))
