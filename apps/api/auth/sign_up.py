"""Signing up over HTTP."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api_keys.authentication import asking_of
from apps.core.errors import RateLimited
from apps.core.refusals import refuses_with
from apps.core.requests import caller_of
from apps.mail.errors import QuotaExceeded
from apps.payloads.views import ServiceView
from apps.signin import sign_up
from apps.signin.errors import SignUpClosed
from apps.signin.serializers.sign_up import SignedUpSerializer, SignUpSerializer
from apps.tokens import answers
from apps.users import emails


class SignUp(ServiceView):
    """A customer of one's own: its secrets, its owner, a first API key, and tokens."""

    @extend_schema(operation_id="signup", request=SignUpSerializer, responses={201: SignedUpSerializer})
    @refuses_with(SignUpClosed, RateLimited, QuotaExceeded)
    def post(self, request: Request) -> Response:
        given = self.read(SignUpSerializer)
        asking = asking_of(request)
        made = sign_up.sign_up(
            sign_up.Wish(
                asked=asking.customer,
                address=emails.parse(given["email"]),
                password=given["password"],
                organization=given["organization"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        )
        answer = answers.signed_in(made.pair, made.owner, is_new=True)
        answer.status_code = status.HTTP_201_CREATED
        answer.data["customer"] = {
            "id": str(made.customer.id),
            "slug": made.customer.slug,
            "name": made.customer.name,
        }
        answer.data["api_key"], answer.data["api_key_id"] = made.key_text, made.key.key_id
        return answer
