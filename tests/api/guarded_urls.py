"""Endpoints guarded in every way a view can say it, for test_permissions."""

from typing import Any

from django.urls import path
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.permissions import HasPermission, HasRole, IsSignedIn, requires_permission, requires_role


class Never(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class Always(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return True


class Guarded(APIView):
    def get(self, request: Request) -> Response:
        return Response({"let": "in"})


class ByMethod(Guarded):
    @requires_role("admin")
    def post(self, request: Request, number: int = 0) -> Response:
        return Response({"number": number})

    @requires_permission("invoices.read")
    def patch(self, request: Request) -> Response:
        return Response({"let": "in"})


GUARDS: dict[str, Any] = {
    "admin": HasRole("admin"),
    "auditor": HasRole("auditor"),
    "invoices": HasPermission("invoices.read"),
    "both": HasRole("admin") & HasPermission("invoices.read"),
    "either": HasRole("admin") | HasPermission("invoices.read"),
    "either-or-auditor": HasRole("admin") | HasPermission("invoices.read") | HasRole("auditor"),
    "nested": (HasRole("admin") & HasPermission("invoices.read")) | HasRole("auditor"),
    "signed-in-and": IsSignedIn & HasRole("admin"),
    "and-signed-in": HasRole("admin") & IsSignedIn,
    "or-never": HasRole("admin") | Never,
    "never-or": Never | HasRole("admin"),
    "or-always": HasRole("admin") | Always,
    "and-never": HasRole("admin") & Never,
}
urlpatterns = [
    *(path(f"guarded/{name}", Guarded.as_view(permission_classes=[guard])) for name, guard in GUARDS.items()),
    path("guarded/by-method", ByMethod.as_view()),
]
