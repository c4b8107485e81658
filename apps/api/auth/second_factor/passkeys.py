"""The user's passkeys."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.passkey_options import CREATION_OPTIONS
from apps.api.auth.second_factor.removal import removal_of, removed
from apps.api.authentication.principal import customer_of, user_of
from apps.api.base_views import SignedInView
from apps.api.fields import NameInputField
from apps.api.permissions import needs_fresh_proof
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.core.errors import NotFound
from apps.core.requests import context_of
from apps.core.times import rfc3339, rfc3339_or_none
from apps.factors import passkey_enrolment, removal
from apps.factors.errors import InvalidPasskey, SecondFactorRequired, TooManyPasskeys
from apps.factors.models import Passkey
from apps.factors.passkey_enrolment import LONGEST_NAME


class NewPasskeySerializer(StrictSerializer):
    credential = serializers.DictField(help_text="PublicKeyCredential.toJSON() of navigator.credentials.create()")
    name = NameInputField(max_length=LONGEST_NAME, default="", allow_blank=True)


class PasskeyNameSerializer(StrictSerializer):
    name = NameInputField(max_length=LONGEST_NAME)


class PasskeySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    backed_up = serializers.BooleanField(help_text="kept by a service that has it on several devices")
    suspected_clone = serializers.BooleanField(help_text="refused: its counter did not go up")


class NewPasskeyAnswerSerializer(PasskeySerializer):
    recovery_codes = serializers.ListField(child=serializers.CharField(), required=False)


class PasskeyCreationOptionsView(SignedInView):
    """What `navigator.credentials.create()` needs."""

    @extend_schema(operation_id="begin_passkey", request=None, responses=CREATION_OPTIONS)
    @needs_fresh_proof
    @refuses_with(TooManyPasskeys, NotFound)
    def post(self, request: Request) -> Response:
        options = passkey_enrolment.creation_options(
            user_of(request), customer=customer_of(request), now=timezone.now()
        )
        return Response(options)


class PasskeysView(SignedInView):
    """A new passkey."""

    @extend_schema(
        operation_id="enrol_passkey", request=NewPasskeySerializer, responses={201: NewPasskeyAnswerSerializer}
    )
    @needs_fresh_proof
    @refuses_with(InvalidPasskey, TooManyPasskeys, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(NewPasskeySerializer)
        made = passkey_enrolment.enrol(
            user_of(request),
            customer=customer_of(request),
            credential=given["credential"],
            name=given["name"],
            context=context_of(request),
        )
        codes = {"recovery_codes": list(made.recovery_codes)} if made.recovery_codes else {}
        return Response({**describe_passkey(made.row), **codes}, status=status.HTTP_201_CREATED)


class PasskeyView(SignedInView):
    """One of the user's passkeys."""

    @extend_schema(operation_id="rename_passkey", request=PasskeyNameSerializer, responses=PasskeySerializer)
    @refuses_with(NotFound)
    def patch(self, request: Request, passkey_id: UUID) -> Response:
        given = self.read(PasskeyNameSerializer)
        row = passkey_enrolment.rename(user_of(request), passkey_id, name=given["name"], context=context_of(request))
        return Response(describe_passkey(row))

    @extend_schema(operation_id="remove_passkey", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound, SecondFactorRequired)
    def delete(self, request: Request, passkey_id: UUID) -> Response:
        removal.remove_passkey(removal_of(request), passkey_id)
        return removed()


def describe_passkey(row: Passkey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "created_at": rfc3339(row.created_at),
        "last_used_at": rfc3339_or_none(row.last_used_at),
        "backed_up": row.backed_up,
        "suspected_clone": row.suspected_clone_at is not None,
    }
