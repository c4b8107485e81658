"""Proving once more who one is, over HTTP."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth import token_answers
from apps.api.auth.reauthentication_serializers import (
    REAUTHENTICATE_SEND_ANSWER,
    ProofSerializer,
    ReauthenticateSendSerializer,
    ReauthenticateSerializer,
)
from apps.api.auth.sign_in_answers import on_its_way
from apps.api.auth.tokens_serializers import REFRESH_ANSWER
from apps.api.authentication.access_token import customer_of, principal_of, user_of
from apps.api.refusals import refuses_with
from apps.api.views import EncryptedView
from apps.core.errors import NotFound, RateLimited
from apps.core.requests import context_of
from apps.factors.errors import InvalidPasskey
from apps.mail.errors import QuotaExceeded, TextsUnavailable
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.signin import reauthentication, reauthentication_methods
from apps.signin.errors import InvalidPassword, MethodNotOffered
from apps.signin.reauthentication_attempts import ReauthenticationAttempt, ReauthenticationRequest
from apps.signin.second_factor_codes import SentCode


class Reauthenticate(EncryptedView):
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
        who = principal_of(request)
        pair = reauthentication.prove(
            ReauthenticationAttempt(
                customer=customer_of(request),
                user=user_of(request),
                now_is=who.user,
                session_id=who.session_id,
                method=given["method"],
                code=given["code"],
                password=given["password"],
                credential=given["credential"],
                context=context_of(request),
            )
        )
        return token_answers.refreshed(pair)


class SendReauthentication(EncryptedView):
    """Have a code sent to prove it by, or get the options for a passkey."""

    @extend_schema(
        operation_id="reauthenticate_send", request=ReauthenticateSendSerializer, responses=REAUTHENTICATE_SEND_ANSWER
    )
    @refuses_with(MethodNotOffered, ResendTooSoon, RateLimited, QuotaExceeded, TextsUnavailable, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(ReauthenticateSendSerializer)
        who = principal_of(request)
        sent = reauthentication.send(
            ReauthenticationRequest(
                customer=customer_of(request),
                user=user_of(request),
                now_is=who.user,
                session_id=who.session_id,
                method=given["method"],
                context=context_of(request),
            )
        )
        return Response(on_its_way(sent) if isinstance(sent, SentCode) else sent)
