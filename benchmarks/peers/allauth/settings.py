"""As its "Quickstart" and "Headless: Installation" have it, with sign-in by a code that is sent by mail.

Its rate limits are off: they count what the one address of the load generator does. Its sessions, which hold the
codes, are in the database, as is Django's default.
"""

from benchmarks.peers.django_settings import *  # noqa: F403  (settings modules extend one another this way)
from benchmarks.peers.django_settings import INSTALLED_APPS as OF_STARTPROJECT
from benchmarks.peers.django_settings import MIDDLEWARE as MIDDLEWARE_OF_STARTPROJECT

INSTALLED_APPS = [*OF_STARTPROJECT, "allauth", "allauth.account", "allauth.headless"]
MIDDLEWARE = [*MIDDLEWARE_OF_STARTPROJECT, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app",)
HEADLESS_FRONTEND_URLS = {
    "account_confirm_email": "https://app.example.com/account/verify-email/{key}",
    "account_reset_password_from_key": "https://app.example.com/account/password/reset/key/{key}",
    "account_signup": "https://app.example.com/account/signup",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_RATE_LIMITS = False
ROOT_URLCONF = "benchmarks.peers.allauth.urls"
