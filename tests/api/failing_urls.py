"""Addresses that fail in every way a view can, for test_error_answers."""

from typing import Any, ClassVar, NoReturn

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import errors
from config import urls

SECRET_IN_MEMORY = "hunter2-in-a-local-variable"


def store_nul() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", ["a\0b"])


def fail_unexpectedly() -> NoReturn:
    password = SECRET_IN_MEMORY
    raise RuntimeError(f"a bug, after {len(password)} characters")


def raising(error: Exception) -> Any:
    def act() -> NoReturn:
        raise error

    return act


FAILURES: dict[str, Any] = {
    "rate": raising(errors.RateLimited(limit="codes_per_ip", retry_after=12.2)),
    "validation": raising(
        drf.ValidationError({"email": ["Wrong."], "address": {"city": ["Missing."]}, "list": [{}, {"a": ["b"]}]})
    ),
    "validation-bare": raising(drf.ValidationError("Wrong.")),
    "parse": raising(drf.ParseError()),
    "not-authenticated": raising(drf.NotAuthenticated()),
    "authentication": raising(errors.AuthenticationError()),
    "drf-denied": raising(drf.PermissionDenied()),
    "denied": raising(PermissionDenied()),
    "gone": raising(Http404("a table's name")),
    "suspicious": raising(SuspiciousOperation("internal detail")),
    "bad-request": raising(BadRequest("internal detail")),
    "nul": store_nul,
    "data": raising(DataError("internal detail")),
    "database": raising(OperationalError("connection to 10.1.2.3 refused")),
    "interface": raising(InterfaceError("connection already closed")),
    "unavailable": raising(errors.TemporarilyUnavailable()),
    "bug": fail_unexpectedly,
}


class Failing(APIView):
    authentication_classes: ClassVar[Any] = ()
    permission_classes: ClassVar[Any] = ()

    def get(self, request: Request, name: str) -> Response:
        FAILURES[name]()
        return Response({})

    def post(self, request: Request, name: str) -> Response:
        return Response({"given": request.data})


def failing_page(request: HttpRequest, name: str) -> HttpResponse:
    """The same outside DRF."""
    FAILURES[name]()
    return HttpResponse()


urlpatterns = [
    path("api/fail/<str:name>", Failing.as_view()),
    path("fail/<str:name>", failing_page),
    path("admin/fail/<str:name>", failing_page),
    *urls.urlpatterns,
]

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
