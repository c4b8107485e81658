"""SIMPLEJWT_WAY: `stateless` (the token alone), `user` (its row), or `blacklist` (its row, and whether it was revoked)."""

import os
from datetime import timedelta

from environ import Env

from benchmarks.bare.startproject import *  # noqa: F403  (settings modules extend one another this way)
from benchmarks.bare.startproject import INSTALLED_APPS as OF_STARTPROJECT

WAYS = {
    "stateless": "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication",
    "user": "rest_framework_simplejwt.authentication.JWTAuthentication",
    "blacklist": "rest_framework_simplejwt.authentication.JWTAuthentication",
}
WAY = os.environ["SIMPLEJWT_WAY"]

# The blacklist's tables are there in each case, so that one database serves all.
INSTALLED_APPS = [
    *OF_STARTPROJECT,
    "rest_framework",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
]
ROOT_URLCONF = "benchmarks.simplejwt.views"
# Kept as the other peers' are, without a question before each request whether the connection still lives.
DATABASES = {"default": {**Env.db_url_config(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": 60}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [WAYS[WAY]],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SIMPLE_JWT = {
    "AUTH_TOKEN_CLASSES": [
        "benchmarks.simplejwt.tokens.RevocableAccessToken"
        if WAY == "blacklist"
        else "rest_framework_simplejwt.tokens.AccessToken"
    ],
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=7),
}
