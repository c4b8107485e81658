"""Sign in with a password."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.sign_in_answer import SIGN_IN_ANSWER, sign_in_answer
from apps.api.authentication.api_key import client_of
from apps.api.base_views import BeforeSignInView
from apps.api.fields import DeliveryField, EmailAddressField, PasswordField
from apps.api.refusals import refuses_with
from apps.api.serializers import StrictSerializer
from apps.core.errors import RateLimited
from apps.core.requests import context_of
from apps.signin import by_password, owner_lookup
from apps.signin.errors import InvalidCredentials
from apps.tokens.errors import UserInactive
from apps.users import emails


class LoginSerializer(StrictSerializer):
    email = EmailAddressField()
    password = PasswordField()
    delivery = DeliveryField()


class LoginView(BeforeSignInView):
    """Sign in with a password. Without an API key an owner signs in at the customer that is theirs."""

    @extend_schema(operation_id="login", request=LoginSerializer, responses=SIGN_IN_ANSWER)
    @refuses_with(InvalidCredentials, RateLimited, UserInactive)
    def post(self, request: Request) -> Response:
        given = self.read(LoginSerializer)
        address = emails.parse(given["email"])
        client = client_of(request)
        ended = by_password.sign_in(
            by_password.PasswordSignIn(
                client_customer=client.customer,
                customer=owner_lookup.customer_of(client, address),
                address=address,
                password=given["password"],
                delivery=given["delivery"],
                context=context_of(request),
            )
        )
        return sign_in_answer(ended)
