"""A customer's registered clients, managed by its administrators (contract 4, hosted sign-in)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication.principal import principal_of
from apps.api.base_views import SignedInView
from apps.api.fields import NameInputField
from apps.api.pagination import page
from apps.api.permissions import HasRole
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.errors import NotFound, PermissionDenied
from apps.core.requests import context_for_others
from apps.core.times import rfc3339
from apps.oauth import clients, scopes
from apps.oauth.models import RegisteredClient
from apps.users.models import BuiltInRole

CREATED = 201
LONGEST_NAME = 200
DAY = 86_400


class ClientChangeSerializer(StrictSerializer):
    name = NameInputField(max_length=LONGEST_NAME, required=False)
    redirect_uris = serializers.ListField(child=serializers.CharField(trim_whitespace=False), required=False)
    post_logout_redirect_uris = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), required=False
    )
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=scopes.ALL), required=False)
    active = serializers.BooleanField(required=False, help_text="false: nobody signs in to it, and its sessions end")


class NewClientSerializer(StrictSerializer):
    name = NameInputField(max_length=LONGEST_NAME)
    confidential = serializers.BooleanField(
        help_text="true: it keeps a secret (on a server); false: a browser or phone"
    )
    redirect_uris = serializers.ListField(child=serializers.CharField(trim_whitespace=False))
    post_logout_redirect_uris = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), required=False, default=list
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=scopes.ALL), required=False, default=scopes.every_scope
    )


class RotationSerializer(StrictSerializer):
    overlap = serializers.IntegerField(
        min_value=0,
        max_value=int(clients.LONGEST_OVERLAP.total_seconds()),
        required=False,
        default=0,
        help_text="seconds for which the old secret works on",
    )


class RegisteredClientSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="the `client_id`")
    name = serializers.CharField()
    confidential = serializers.BooleanField()
    redirect_uris = serializers.ListField(child=serializers.CharField())
    post_logout_redirect_uris = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class ClientWithSecretSerializer(RegisteredClientSerializer):
    client_secret = serializers.CharField(required=False, help_text="of a confidential client; shown this once")


class ClientPageSerializer(serializers.Serializer[Any]):
    results = RegisteredClientSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class AdministratorView(SignedInView):
    """For users with the role `admin`, about their own customer."""

    def get_permissions(self) -> list[Any]:
        return [*super().get_permissions(), HasRole(BuiltInRole.ADMIN)]

    def context(self, request: Request) -> RequestContext:
        return context_for_others(request).by(actors.user(principal_of(request).user_id))

    def client(self, request: Request, client_id: UUID) -> RegisteredClient:
        return clients.get(principal_of(request).customer_id, client_id)


class ClientsView(AdministratorView):
    """The customer's clients, and a new one."""

    @extend_schema(
        operation_id="clients",
        responses=ClientPageSerializer,
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
    )
    @refuses_with(PermissionDenied)
    def get(self, request: Request) -> Response:
        mine = RegisteredClient.objects.of(principal_of(request).customer_id)
        return Response(page(mine, request=request, represent=_describe).document())

    @extend_schema(
        operation_id="register_client", request=NewClientSerializer, responses={201: ClientWithSecretSerializer}
    )
    @refuses_with(PermissionDenied)
    def post(self, request: Request) -> Response:
        given = self.read(NewClientSerializer)
        is_confidential = given.pop("confidential")
        client = RegisteredClient(customer_id=principal_of(request).customer_id, **given)
        secret = clients.register(client, is_confidential=is_confidential, context=self.context(request))
        return Response({**_describe(client), **_shown(secret)}, status=CREATED)


class ClientView(AdministratorView):
    """One client."""

    @extend_schema(operation_id="client", responses=RegisteredClientSerializer)
    @refuses_with(PermissionDenied)
    def get(self, request: Request, client_id: UUID) -> Response:
        return Response(_describe(self.client(request, client_id)))

    @extend_schema(operation_id="change_client", request=ClientChangeSerializer, responses=RegisteredClientSerializer)
    @refuses_with(PermissionDenied, NotFound)
    def patch(self, request: Request, client_id: UUID) -> Response:
        changes = self.read(ClientChangeSerializer)
        active = changes.pop("active", None)
        client, context = self.client(request, client_id), self.context(request)
        if changes:
            clients.change(client, changes=changes, context=context)
        if active is not None:
            (clients.enable if active else clients.disable)(client, context=context)
        return Response(_describe(client))

    @extend_schema(operation_id="delete_client", responses={200: MessageSerializer})
    @refuses_with(PermissionDenied)
    def delete(self, request: Request, client_id: UUID) -> Response:
        clients.delete(self.client(request, client_id), context=self.context(request))
        return Response({"message": "Client deleted"})


class RotateClientSecretView(AdministratorView):
    """A new secret for a confidential client, shown this once."""

    @extend_schema(
        operation_id="rotate_client_secret", request=RotationSerializer, responses=ClientWithSecretSerializer
    )
    @refuses_with(PermissionDenied)
    def post(self, request: Request, client_id: UUID) -> Response:
        overlap = timedelta(seconds=self.read(RotationSerializer)["overlap"])
        client = self.client(request, client_id)
        secret = clients.rotate_secret(client, overlap=overlap, context=self.context(request))
        return Response({**_describe(client), **_shown(secret)})


def _describe(client: RegisteredClient) -> dict[str, Any]:
    return {
        "id": client.client_id,
        "name": client.name,
        "confidential": client.is_confidential,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "scopes": client.scopes,
        "active": client.is_active,
        "created_at": rfc3339(client.created_at),
    }


def _shown(secret: str) -> dict[str, str]:
    return {"client_secret": secret} if secret else {}
