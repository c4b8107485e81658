"""Its own endpoints, and the view that a project writes to say who is signed in: it has none."""

from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class MeView(APIView):
    """The user to whom the token belongs."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({"id": request.user.pk, "username": request.user.get_username()})


urlpatterns = [path("", include("drfpasswordless.urls")), path("me/", MeView.as_view())]
