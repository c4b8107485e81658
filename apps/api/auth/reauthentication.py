"""Prove once more who is signed in."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth import token_answer
from apps.api.auth.passkey_options import REQUEST_OPTIONS
from apps.api.auth.sent_answer import SentSerializer, sent_answer
from apps.api.auth.token_answer import REFRESH_ANSWER
from apps.api.authentication.principal import customer_of, principal_of, user_of
from apps.api.base_views import SignedInView
from apps.api.fields import CodeField, PasswordField
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer
from apps.core.errors import NotFound, RateLimited
from apps.core.requests import context_of
from apps.factors import methods
from apps.factors.errors import InvalidPasskey
from apps.mail.errors import QuotaExceeded, SmsUnavailable
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.signin import reauthentication, reauthentication_methods
from apps.signin.errors import InvalidPassword, MethodNotOffered
from apps.signin.reauthentication_attempts import NOTHING_YET, GivenProof, ReauthenticationRequest

CARRIED_AS = {
    methods.PASSKEY: "credential",
    reauthentication_methods.PASSWORD: "password",
}  # every other method: `code`


class ProofSerializer(serializers.Serializer[Any]):
    methods = serializers.ListField(
        child=serializers.CharField(), help_text="in the order in which to offer them; empty: sign in again"
    )
    auth_time = serializers.IntegerField(help_text="unix time: when the token's session last proved who it is")
    max_age = serializers.IntegerField(help_text="seconds: how old that may be for what needs a fresh proof")
    fresh = serializers.BooleanField()


class ReauthenticateSerializer(StrictSerializer):
    method = serializers.ChoiceField(choices=reauthentication_methods.METHODS)
    code = CodeField(default="", allow_blank=True)
    password = PasswordField(default="", allow_blank=True, help_text="for `password`")
    credential = serializers.DictField(default=None, help_text="for `passkey`")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = CARRIED_AS.get(attrs["method"], "code")
        if not attrs[wanted]:
            raise serializers.ValidationError({wanted: [self.error_messages["required"]]})
        return attrs


class ReauthenticateSendSerializer(StrictSerializer):
    method = serializers.ChoiceField(choices=reauthentication_methods.SENT)


REAUTHENTICATE_SEND_ANSWER = PolymorphicProxySerializer(
    component_name="ReauthenticateSendAnswer",
    serializers=[SentSerializer, REQUEST_OPTIONS],
    resource_type_field_name=None,
)


class ReauthenticateView(SignedInView):
    """Proves once more who is signed in: what changes credentials, or erases the account, needs a fresh proof."""

    @extend_schema(operation_id="proof", responses=ProofSerializer)
    @refuses_with(NotFound)
    def get(self, request: Request) -> Response:
        """How old the present proof is, how old it may be, and by what it can be renewed."""
        customer, proof = customer_of(request), principal_of(request).proof
        max_age = customer.reauthenticate_after
        body = {
            "methods": list(reauthentication_methods.methods_for(user_of(request), customer)),
            "auth_time": proof.auth_time,
            "max_age": max_age,
            "fresh": proof.is_fresh(max_age=max_age, now=timezone.now()),
        }
        return Response(body)

    @extend_schema(operation_id="reauthenticate", request=ReauthenticateSerializer, responses=REFRESH_ANSWER)
    @refuses_with(MethodNotOffered, InvalidOtp, InvalidPassword, InvalidPasskey, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        """New tokens of the same session, with a new `auth_time`."""
        given = self.read(ReauthenticateSerializer)
        proof = GivenProof(code=given["code"], password=given["password"], credential=given["credential"])
        pair = reauthentication.prove(_asked(request, given["method"], proof))
        return token_answer.refreshed(pair)


class ReauthenticateSendView(SignedInView):
    """Have a code sent to prove it by, or get the options for a passkey."""

    @extend_schema(
        operation_id="reauthenticate_send", request=ReauthenticateSendSerializer, responses=REAUTHENTICATE_SEND_ANSWER
    )
    @refuses_with(MethodNotOffered, ResendTooSoon, RateLimited, QuotaExceeded, SmsUnavailable, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(ReauthenticateSendSerializer)
        sent = reauthentication.send(_asked(request, given["method"]))
        return sent_answer(sent)


def _asked(request: Request, method: str, given: GivenProof = NOTHING_YET) -> ReauthenticationRequest:
    who = principal_of(request)
    return ReauthenticationRequest(
        customer=customer_of(request),
        user=user_of(request),
        now_is=who.user,
        session_id=who.session_id,
        method=method,
        context=context_of(request),
        given=given,
    )
