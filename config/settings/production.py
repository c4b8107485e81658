"""Production: everything from the environment, refused with one message if anything is missing, weak or a placeholder."""

import os

from config import environment

try:  # Before `base` reads the values, so that a malformed one is named like the others, and not by a traceback.
    environment.load()
    environment.check_production()
except environment.ConfigurationError as error:
    raise SystemExit(str(error)) from None

from config.settings.base import *  # noqa: F403  (settings modules extend one another this way)
from config.settings.base import env, use_engines

globals().update(use_engines(database_url=os.environ["DATABASE_URL"], redis_url=os.environ["REDIS_URL"]))

# Strangers become tenants only where that is meant.
ALLOW_CUSTOMER_SIGNUP = env.bool("ALLOW_CUSTOMER_SIGNUP", default=False)

# AdminCsrfMiddleware is the CSRF protection; the check looks for the name of the class it is derived from.
SILENCED_SYSTEM_CHECKS = ["security.W003"]
STATIC_ROOT = BASE_DIR / "static"
WHITENOISE_USE_FINDERS = False
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # Probes reach the container without TLS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.list("TRUSTED_PROXIES", default=[]) else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = [env.str("PUBLIC_URL").rstrip("/")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
