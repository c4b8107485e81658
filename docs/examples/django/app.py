"""A Django site whose users sign in at Gatehouse's hosted pages. One file, in the place of a project.

python app.py migrate
python app.py runserver 5502
"""

import json
import os
import sys
from pathlib import Path

from authlib.integrations.django_client import OAuth, OAuthError
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.management.utils import get_random_secret_key

HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[2] / ".data" / "demo.json"
FACTS = json.loads(Path(os.environ.get("GATEHOUSE_DEMO", DEMO)).read_text(encoding="utf-8"))

# --- Settings ---

settings.configure(
    DEBUG=True,
    SECRET_KEY=get_random_secret_key(),  # a new one at each start signs everybody out: keep one in a real project
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [HERE],
            "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]},
        }
    ],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DATABASE", HERE / "db.sqlite3")}
    },
    # On localhost all apps share their cookies, whatever the port: two Django projects need two names.
    SESSION_COOKIE_NAME="notes_session",
    CSRF_COOKIE_NAME="notes_csrf",
    # With "Strict" the browser would come back from Gatehouse without its session. In production add ..._SECURE.
    SESSION_COOKIE_SAMESITE="Lax",
    LOGIN_URL="/sign-in",
)

import django  # noqa: E402

django.setup()  # what follows needs the settings

from django.contrib.auth import login, logout  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import redirect, render  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.http import require_POST  # noqa: E402

gatehouse = OAuth().register(
    "gatehouse",
    client_id=FACTS["oauth_client_id"],
    client_secret=FACTS["oauth_client_secret"],
    server_metadata_url=f"{FACTS['issuer']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "default_timeout": 5},
)

# --- Views ---


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


@login_required
def notes(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html", {"notes": ["Water the plants"]})


def sign_in(request: HttpRequest) -> HttpResponse:
    """To Gatehouse, which sends the browser back to `callback`."""
    request.session["next"] = "/notes" if request.GET.get("next") == "/notes" else "/"
    found: HttpResponse = gatehouse.authorize_redirect(request, request.build_absolute_uri("/callback"))
    return found


def callback(request: HttpRequest) -> HttpResponse:
    """Back with a code: authlib checks `state`, redeems the code, and verifies the id token and its nonce."""
    try:
        token = gatehouse.authorize_access_token(request)
    except OAuthError as error:  # the user has changed its mind, or this browser has not asked for what it brings
        return render(request, "home.html", {"problem": error.description or error.error}, status=400)
    claims = token["userinfo"]
    login(request, user_of(claims))
    request.session["id_token"] = token["id_token"]
    return redirect(request.session.pop("next", "/"))


def user_of(claims: dict[str, str]) -> User:
    """Known by `sub`, which stays; an address can change hands."""
    user = User.objects.filter(username=claims["sub"]).first() or User.objects.create_user(claims["sub"])
    user.email, user.first_name = claims["email"], claims.get("name", "")
    user.save()
    return user


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Here, and at Gatehouse."""
    id_token = request.session.get("id_token")
    logout(request)
    found: HttpResponse = gatehouse.logout_redirect(
        request, request.build_absolute_uri("/"), id_token_hint=id_token, client_id=gatehouse.client_id
    )
    return found


urlpatterns = [
    path("", home),
    path("notes", notes),
    path("sign-in", sign_in),
    path("callback", callback),
    path("sign-out", sign_out),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
