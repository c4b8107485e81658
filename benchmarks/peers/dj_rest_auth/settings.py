"""As its "Quickstart" has it."""

from benchmarks.peers.django_settings import *  # noqa: F403  (settings modules extend one another this way)
from benchmarks.peers.django_settings import INSTALLED_APPS as OF_STARTPROJECT

INSTALLED_APPS = [*OF_STARTPROJECT, "rest_framework", "rest_framework.authtoken", "dj_rest_auth"]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"]}
ROOT_URLCONF = "benchmarks.peers.dj_rest_auth.urls"
