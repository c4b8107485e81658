"""Who may use endpoints that ask for an API key."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.api_keys import clients
from apps.api_keys.errors import ApiKeyRequired, InvalidApiKey
from apps.core.errors import PermissionDenied

if TYPE_CHECKING:  # DRF reads its defaults while this very module is being imported
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """A key, if one is given, must have the view's `required_scope`; without one the default customer's doors are open."""

    refusals = (PermissionDenied,)

    def has_permission(self, request: Request, view: "APIView") -> bool:
        clients.require_scope(request.user, view.required_scope)  # type: ignore[arg-type, attr-defined]
        return True


class HasKeyWithScope(HasScope):
    """A key is required. What is sent in its place, an access token perhaps, is a wrong one."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.user.api_key is None:  # type: ignore[union-attr]
            raise InvalidApiKey if "Authorization" in request.headers else ApiKeyRequired
        return super().has_permission(request, view)
