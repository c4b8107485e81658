"""Who may use endpoints that take an access token."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.core.errors import AuthenticationRequired
from apps.tokens.authentication import Principal

if TYPE_CHECKING:  # DRF reads its defaults while this very module is being imported
    from rest_framework.views import APIView


class IsSignedIn(BasePermission):
    """What every view asks for without a word."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.user, Principal):
            raise AuthenticationRequired
        return True
