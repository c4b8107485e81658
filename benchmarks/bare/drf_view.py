"""A view of DRF without authentication."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.bare.document import WHO_AM_I


class Me(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response(WHO_AM_I)


urlpatterns = [path("api/auth/me", Me.as_view())]
