"""As the README's "Install" has it, with email alone."""

from benchmarks.peers.django_settings import *  # noqa: F403  (settings modules extend one another this way)
from benchmarks.peers.django_settings import INSTALLED_APPS as OF_STARTPROJECT

INSTALLED_APPS = [*OF_STARTPROJECT, "rest_framework", "rest_framework.authtoken", "drfpasswordless"]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ("rest_framework.authentication.TokenAuthentication",)}
PASSWORDLESS_AUTH = {
    "PASSWORDLESS_AUTH_TYPES": ["EMAIL"],
    "PASSWORDLESS_EMAIL_NOREPLY_ADDRESS": "noreply@example.com",
}
ROOT_URLCONF = "benchmarks.peers.drfpasswordless.urls"
