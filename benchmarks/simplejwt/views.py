"""Its own sign-in; and who am I: the same document as the others', from the token or from the user's row."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenObtainPairView

from benchmarks.bare.document import WHO_AM_I


class Me(APIView):
    def get(self, request: Request) -> Response:
        user = request.user
        return Response({**WHO_AM_I, "id": str(user.pk), "email": getattr(user, "email", "")})


urlpatterns = [path("api/auth/me", Me.as_view()), path("api/token/", TokenObtainPairView.as_view())]
