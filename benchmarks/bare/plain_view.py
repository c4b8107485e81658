"""A view of Django's alone."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from benchmarks.bare.document import WHO_AM_I


def me(_request: HttpRequest) -> JsonResponse:
    return JsonResponse(WHO_AM_I)


urlpatterns = [path("api/auth/me", me)]
