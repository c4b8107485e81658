"""Sign up: a customer of one's own, with its owner and a first API key."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import sign_up
from apps.accounts.errors import SignUpClosed
from apps.api.auth import token_answer
from apps.api.auth.token_answer import TokenAnswerSerializer
from apps.api.authentication.api_key import client_of
from apps.api.base_views import BeforeSignInView
from apps.api.fields import EmailAddressField, NameInputField, PasswordField
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.mail.errors import QuotaExceeded
from apps.users import emails


class SignUpSerializer(StrictSerializer):
    email = EmailAddressField()
    password = PasswordField()
    organization = NameInputField(max_length=200, default="", allow_blank=True)


class CustomerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class SignedUpSerializer(TokenAnswerSerializer):
    customer = CustomerSerializer()
    api_key = serializers.CharField(help_text="shown this once")
    api_key_id = serializers.CharField()


class SignUpView(BeforeSignInView):
    """A customer of one's own: its secrets, its owner, a first API key, and tokens."""

    @extend_schema(operation_id="signup", request=SignUpSerializer, responses={201: SignedUpSerializer})
    @refuses_with(SignUpClosed, RateLimited, QuotaExceeded)
    def post(self, request: Request) -> Response:
        given = self.read(SignUpSerializer)
        client = client_of(request)
        made = sign_up.sign_up(
            sign_up.SignUpRequest(
                client_customer=client.customer,
                address=emails.parse(given["email"]),
                password=given["password"],
                organization=given["organization"],
                context=context_of(request),
            )
        )
        answer = token_answer.signed_in(made.pair, made.owner, is_new=True)
        answer.status_code = status.HTTP_201_CREATED
        answer.data["customer"] = {
            "id": str(made.customer.id),
            "slug": made.customer.slug,
            "name": made.customer.name,
        }
        answer.data["api_key"], answer.data["api_key_id"] = made.key_text, made.key.key_id
        return answer
