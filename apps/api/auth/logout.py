"""Log out."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication import cookies
from apps.api.authentication.logout import LogoutAuthentication
from apps.api.authentication.principal import principal_of
from apps.api.base_views import SignedInView
from apps.api.schema import security_schemes
from apps.api.serializers import MessageSerializer
from apps.core.requests import context_of
from apps.tokens import sessions
from apps.tokens.models import Delivery

UNAUTHORISED = 401


class LogoutView(SignedInView):
    """Ends the session of the token. A browser's refresh cookie will do, and its cookies are cleared."""

    authentication_classes = (LogoutAuthentication,)

    @extend_schema(operation_id="logout", request=None, responses=MessageSerializer, auth=security_schemes.LOGGING_OUT)
    def post(self, request: Request) -> Response:
        who = principal_of(request)
        sessions.log_out(
            customer_id=who.customer_id,
            user_id=who.user_id,
            session_id=who.session_id,
            jti=who.jti,
            token_expires_at=datetime.fromtimestamp(who.token_expires_at, UTC),
            context=context_of(request),
        )
        response = Response({"message": "Logged out successfully"})
        if who.delivery == Delivery.COOKIE:
            cookies.clear(response)
        return response

    def takes_body(self, request: Request) -> bool:
        """With a refresh cookie alone there is no key to open a body with, and nothing in it is needed."""
        return request.auth is not None and super().takes_body(request)

    def handle_exception(self, exc: Exception) -> Response:
        """Clear cookies that are worth nothing any more: the browser could not do so by itself."""
        response = super().handle_exception(exc)
        if response.status_code == UNAUTHORISED and cookies.are_in(self.request.COOKIES):
            cookies.clear(response)
        return response
