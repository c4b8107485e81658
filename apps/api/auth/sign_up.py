"""Signing up over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import sign_up
from apps.accounts.errors import SignUpClosed
from apps.api.auth import token_answers
from apps.api.auth.sign_up_serializers import SignedUpSerializer, SignUpSerializer
from apps.api.authentication.api_key import client_of
from apps.api.refusals import refuses_with
from apps.api.views import ServiceView
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.mail.errors import QuotaExceeded
from apps.users import emails


class SignUp(ServiceView):
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
        answer = token_answers.signed_in(made.pair, made.owner, is_new=True)
        answer.status_code = status.HTTP_201_CREATED
        answer.data["customer"] = {
            "id": str(made.customer.id),
            "slug": made.customer.slug,
            "name": made.customer.name,
        }
        answer.data["api_key"], answer.data["api_key_id"] = made.key_text, made.key.key_id
        return answer
