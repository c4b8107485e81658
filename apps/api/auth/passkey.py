"""Sign in by a passkey alone."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.passkey_options import REQUEST_OPTIONS
from apps.api.auth.sign_in_answer import SIGN_IN_ANSWER, sign_in_answer
from apps.api.authentication.api_key import client_of
from apps.api.base_views import BeforeSignInView
from apps.api.fields import DeliveryField
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer
from apps.core.requests import context_of
from apps.factors.errors import InvalidPasskey
from apps.signin import by_passkey
from apps.tokens.errors import UserInactive


class PasskeyVerifySerializer(StrictSerializer):
    credential = serializers.DictField(help_text="PublicKeyCredential.toJSON() of navigator.credentials.get()")
    delivery = DeliveryField()


class PasskeySignInOptionsView(BeforeSignInView):
    """What `navigator.credentials.get()` needs to sign in by a passkey alone. The same for everybody."""

    @extend_schema(operation_id="passkey_options", request=None, responses=REQUEST_OPTIONS)
    def post(self, request: Request) -> Response:
        client = client_of(request)
        return Response(by_passkey.options(client.customer, now=timezone.now()))


class PasskeySignInView(BeforeSignInView):
    """Sign in by a passkey alone."""

    @extend_schema(operation_id="passkey_verify", request=PasskeyVerifySerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidPasskey, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(PasskeyVerifySerializer)
        client = client_of(request)
        ended = by_passkey.sign_in(
            by_passkey.PasskeySignIn(
                customer=client.customer,
                credential=given["credential"],
                delivery=given["delivery"],
                context=context_of(request),
            )
        )
        return sign_in_answer(ended)
