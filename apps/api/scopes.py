"""Who may use endpoints that take an API key: keys with the scope that the view names."""

from typing import TYPE_CHECKING, Protocol, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.api.authentication.api_key import client_of
from apps.api_keys import clients
from apps.api_keys.errors import ApiKeyRequired, InvalidApiKey
from apps.core.errors import PermissionDenied

if TYPE_CHECKING:  # importing it here would be a circle: DRF imports its default permissions first
    from rest_framework.views import APIView


class ScopedView(Protocol):
    """A view that names the scope a key must have to use it."""

    required_scope: str


class HasScope(BasePermission):
    """A key, if there is one, must have the view's `required_scope`. Without a key the default customer is meant."""

    refusals = (PermissionDenied,)

    def has_permission(self, request: Request, view: "APIView") -> bool:
        clients.require_scope(client_of(request), cast("ScopedView", view).required_scope)
        return True


class HasKeyWithScope(HasScope):
    """A key is required. Whatever is sent in its place, an access token perhaps, counts as a wrong key."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if client_of(request).api_key is None:
            raise InvalidApiKey if "Authorization" in request.headers else ApiKeyRequired
        return super().has_permission(request, view)
