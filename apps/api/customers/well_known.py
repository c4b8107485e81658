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
from apps.oauth import metadata
from apps.tokens import discovery

OK = 200
KEYS_CACHED_SECONDS = 60  # so long others may trust a key after an emergency rotation, or not know a new one
CONFIGURATION_CACHED_SECONDS = 300


class TextListField(serializers.ListField):
    child = serializers.CharField()


class JwksSerializer(serializers.Serializer[Any]):
    keys = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class ConfigurationSerializer(serializers.Serializer[Any]):
    """OpenID Connect Discovery 1.0; RFC 8414."""

    issuer = serializers.CharField(help_text="the tokens' `iss`")
    authorization_endpoint = serializers.URLField(help_text="the hosted sign-in: a page, not a call")
    token_endpoint = serializers.URLField()
    userinfo_endpoint = serializers.URLField()
    end_session_endpoint = serializers.URLField(help_text="a page, not a call")
    revocation_endpoint = serializers.URLField()
    introspection_endpoint = serializers.URLField()
    jwks_uri = serializers.URLField()
    scopes_supported = TextListField()
    response_types_supported = TextListField()
    response_modes_supported = TextListField()
    grant_types_supported = TextListField()
    code_challenge_methods_supported = TextListField()
    token_endpoint_auth_methods_supported = TextListField()
    revocation_endpoint_auth_methods_supported = TextListField()
    introspection_endpoint_auth_methods_supported = TextListField(help_text="`Bearer`: an API key")
    authorization_response_iss_parameter_supported = serializers.BooleanField(help_text="RFC 9207")
    prompt_values_supported = TextListField()
    ui_locales_supported = TextListField()
    subject_types_supported = TextListField()
    id_token_signing_alg_values_supported = TextListField(required=False, help_text="absent with a shared secret")
    access_token_signing_alg_values_supported = TextListField()
    claim_types_supported = TextListField()
    claims_supported = TextListField()
    claims_parameter_supported = serializers.BooleanField()
    request_parameter_supported = serializers.BooleanField()
    request_uri_parameter_supported = serializers.BooleanField()


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
        return _publish(metadata.configuration, slug)


class AuthorizationServerMetadataView(CustomerConfigurationView):
    """The same at the address of RFC 8414, which some client libraries ask."""

    @extend_schema(operation_id="authorization_server_metadata", responses=ConfigurationSerializer, auth=[])
    @refuses_with(CustomerSuspended)
    def get(self, request: Request, slug: str) -> Response:
        return super().get(request, slug)


def _publish(document: Callable[[CustomerState, datetime], dict[str, Any]], slug: str) -> Response:
    return Response(document(customers.find(slug), timezone.now()))
