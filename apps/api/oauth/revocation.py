"""Token revocation for registered clients (RFC 7009): what each was given itself."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.oauth.client_of_request import authenticated_client
from apps.api.oauth.form_view import FORM, ClientSerializer, OAuthFormView, Parameter
from apps.api.refusals import refuses_with
from apps.api.schema import security_schemes
from apps.core.requests import context_of
from apps.customers.errors import CustomerSuspended, IpNotAllowed
from apps.oauth import client_revocation
from apps.oauth.errors import InvalidClient, OAuthError


class RevocationSerializer(ClientSerializer):
    token = Parameter(help_text="an access or refresh token of this client")
    token_type_hint = Parameter(help_text="`access_token` or `refresh_token`; a token tells by itself")


class ClientRevocationView(OAuthFormView):
    """Ends a token of the client: an access token by itself, a refresh token with its session. 200 whatever the token is."""

    @extend_schema(
        operation_id="oauth_revoke",
        request={FORM: RevocationSerializer},
        responses=OpenApiTypes.OBJECT,
        auth=security_schemes.BY_CLIENT,
    )
    @refuses_with(OAuthError, InvalidClient, CustomerSuspended, IpNotAllowed)
    def post(self, request: Request) -> Response:
        given = self.read(RevocationSerializer)
        client = authenticated_client(request, given)
        if not given.get("token"):
            raise OAuthError
        client_revocation.revoke(given["token"], client=client, context=context_of(request))
        return Response({})
