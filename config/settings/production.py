"""Production: all settings from the environment. One message refuses all that are missing, weak, malformed or placeholders."""

from config import environment
from config.file_storage import IN_PRODUCTION
from config.settings.base import *  # noqa: F403  (settings modules extend one another this way)
from config.settings.base import SILENCED_SYSTEM_CHECKS, env, keep_files, use_engines

# Only where that is wanted can strangers become tenants.
ALLOW_CUSTOMER_SIGNUP = env.bool("ALLOW_CUSTOMER_SIGNUP", default=False)

# W001 and W002 look for Django's middlewares, whose headers are those of `core.security_headers`; W003 for CSRF protection, which is
# within AdminMiddleware, too.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "security.W001", "security.W002", "security.W003"]
STATIC_ROOT = BASE_DIR / "static"
WHITENOISE_USE_FINDERS = False
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# Probes and proxies that ask whom to let in reach the container without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^verify(/|$)"]
# `apps.core.forwarding` removes the header unless a trusted proxy sends it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.list("TRUSTED_PROXIES", default=[]) else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = [env.str("PUBLIC_URL", default="").rstrip("/")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "files": keep_files(root=IN_PRODUCTION),
}

globals().update(
    use_engines(
        database_url=env.str("DATABASE_URL", default="postgresql://nobody@localhost/none"),
        redis_url=env.str("REDIS_URL", default="redis://localhost:1/0"),
    )
)

environment.end_unless_fit_for_production(env)  # last, so that it names every fault that was found while reading
