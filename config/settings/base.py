"""What every environment shares. Reads the environment; starts nothing and refuses nothing."""

import sys
from pathlib import Path
from typing import Any

from config import addresses, celery, databases, environment, file_storage, loading, static_files, tls
from config.logging import logging_settings
from config.settings import tasks, unfold

loading.begin()
celery_application = celery.app  # so that shared_task finds our application in every process
env = environment.load()

BASE_DIR = environment.PROJECT_ROOT

# --- Secrets -----------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="")
MASTER_KEYS: dict[str, bytes] = environment.parse_master_keys(env.str("MASTER_KEYS", default=""))
SERVICE_ENCRYPTION_KEY = env.str("SERVICE_ENCRYPTION_KEY", default="")
SERVICE_ENCRYPTION_KEY_PREVIOUS = env.str("SERVICE_ENCRYPTION_KEY_PREVIOUS", default="")

# --- Who and where we are ------------------------------------------------------------------------
DEBUG = False
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
REQUIRE_API_KEY = env.bool("REQUIRE_API_KEY", default=False)
ALLOW_CUSTOMER_SIGNUP = env.bool("ALLOW_CUSTOMER_SIGNUP", default=True)
UNFOLD = unfold.UNFOLD
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its default would put its own site in the place of ours
    "unfold.contrib.filters",
    "config.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_otp",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "apps.core",
    "apps.audit",
    "apps.mail",
    "apps.customers",
    "apps.api_keys",
    "apps.payloads",
    "apps.users",
    "apps.tokens",
    "apps.otp",
    "apps.factors",
    "apps.files",
    "apps.approvals",
    "apps.signin",
    "apps.oauth",
    "apps.figures",
    "apps.alerts",
    "apps.accounts",
    "apps.api",
    "apps.portal",
    "apps.operators",
]

# Each looks at every request, and most let those to the API pass at once.
MIDDLEWARE = [
    "apps.core.middleware.RequestLogMiddleware",
    "apps.core.state.hold_back.HoldBackMiddleware",
    # Before all that may answer by itself: a redirect, a file, a preflight and a refused host have their headers, too.
    "apps.core.security_headers.SecurityHeadersMiddleware",
    "apps.core.middleware.LanguageMiddleware",
    "apps.core.forwarding.HttpsMiddleware",
    "config.static_files.StaticFilesMiddleware",
    "apps.api.cors.CustomersCorsMiddleware",
    "apps.core.middleware.RefuseWhatCannotBeStoredMiddleware",
    "apps.operators.middleware.AdminMiddleware",
]
# Sessions, authentication and messages are within AdminMiddleware, where Django's check does not look.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Engines ---------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DJANGO_REDIS_CONNECTION_FACTORY = "apps.core.connections.ConnectionFactory"
REDIS_CA_FILE = env.str("REDIS_CA_FILE", default="")
REDIS_CLUSTER_NODES = env.list("REDIS_CLUSTER_NODES", default=[])  # host:port each; named: REDIS_URL leads to a cluster
VALKEY_TIMEOUT_SECONDS = env.float("VALKEY_TIMEOUT_SECONDS", default=0.5)


# PostgreSQL itself, if DATABASE_URL leads through a transaction pooler. With a pooler but without it, set DATABASE_POOLED=true.
DATABASE_LISTEN_URL = env.str("DATABASE_LISTEN_URL", default="")
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=bool(DATABASE_LISTEN_URL))
UNHURRIED_DATABASE: dict[str, Any] = {}  # for commands that take their time; set below, with the engines
LISTENING_DATABASE: dict[str, Any] = {}  # for the connection that tells a process what has changed; also set below
# How long a process trusts what it remembers without asking PostgreSQL, and how long the answer to a revoking call is held back.
STATE_LEASE_MS = env.int("STATE_LEASE_MS", default=100, most=10_000)
# Sessions and users that a process remembers, 1.0 to 1.3 KB each. The least lately used make way, and cost a query when they come again.
STATE_MOST_REMEMBERED = env.int("STATE_MOST_REMEMBERED", default=6_000, most=10_000_000)
STATE_GRACE_SECONDS = env.float(
    "STATE_GRACE_SECONDS", default=0
)  # for so long, remembered state counts while PostgreSQL is away


def valkey_cache(url: str) -> dict[str, Any]:
    """CACHES["default"] for a Valkey URL: JSON, never pickle; short timeouts, no silent retry."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": tls.without_tls_parameters(url),
        "KEY_PREFIX": "gatehouse",
        "OPTIONS": {
            "CONNECTION_POOL_KWARGS": tls.options(url, REDIS_CA_FILE),
            "CLUSTER_NODES": [addresses.host_and_port(node) for node in REDIS_CLUSTER_NODES],
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": VALKEY_TIMEOUT_SECONDS,
            "SOCKET_TIMEOUT": VALKEY_TIMEOUT_SECONDS,
        },
    }


def use_engines(*, database_url: str, redis_url: str) -> dict[str, Any]:
    """The settings that follow from where PostgreSQL and Valkey are; the broker is Valkey unless told otherwise."""
    broker = env.str("CELERY_BROKER_URL", default="") or redis_url.replace("unix://", "redis+socket://").replace(
        "?db=", "?virtual_host="
    )
    return {
        "DATABASES": {"default": databases.bounded(env, database_url, is_pooled=DATABASE_POOLED)},
        "UNHURRIED_DATABASE": databases.unhurried(
            env, database_url, listen_url=DATABASE_LISTEN_URL, is_pooled=DATABASE_POOLED
        ),
        "LISTENING_DATABASE": databases.plain(env, DATABASE_LISTEN_URL or database_url),
        "CACHES": {"default": valkey_cache(redis_url)},
        "REDIS_URL": redis_url,
        "CELERY_BROKER_URL": ";".join(map(tls.without_tls_parameters, broker.split(";"))),
        "CELERY_BROKER_USE_SSL": tls.broker_options(broker, REDIS_CA_FILE),
    }


# --- Celery ------------------------------------------------------------------------------------------
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_DB_REUSE_MAX = sys.maxsize  # tasks: connections are let go of by `config.worker_process`
CELERY_TASK_QUEUES = tasks.QUEUES
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_DEFAULT_ROUTING_KEY = "maintenance"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ROUTES = tasks.ROUTES
CELERY_BEAT_SCHEDULE = tasks.SCHEDULE
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A request must never hang on a lost broker: publishing gives up at once, and the sweeper enqueues again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "max_retries": 0,
    "retry_policy": {"max_retries": 0},
    "global_keyprefix": "gatehouse:celery:",
}
CELERY_TASK_PUBLISH_RETRY = False

# --- Mail ----------------------------------------------------------------------------------------------
EMAIL_URL = env.str("EMAIL_URL", default="")
EMAIL_URL_FALLBACK = env.str("EMAIL_URL_FALLBACK", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="")  # empty: no-reply at the host of PUBLIC_URL
EMAIL_TIMEOUT_SECONDS = env.float("EMAIL_TIMEOUT_SECONDS", default=10)
EMAIL_ACCEPTANCE_TIMEOUT_SECONDS = env.float(
    "EMAIL_ACCEPTANCE_TIMEOUT_SECONDS", default=120
)  # after a server was given the mail
MAIL_LEASE_SECONDS = env.float(
    "MAIL_LEASE_SECONDS", default=8
)  # renewed while a worker sends; a dead worker delays a mail for so long

# --- SMS -------------------------------------------------------------------------------------------------
SMS_BACKEND = env.str("SMS_BACKEND", default="")  # path of a class; empty: no SMS are sent
SMS_FILE_PATH = env.str("SMS_FILE_PATH", default="")
SMS_TWILIO_ACCOUNT_SID = env.str("SMS_TWILIO_ACCOUNT_SID", default="")
SMS_TWILIO_AUTH_TOKEN = env.str("SMS_TWILIO_AUTH_TOKEN", default="")
SMS_TWILIO_FROM = env.str("SMS_TWILIO_FROM", default="")
SMS_HTTP_URL = env.str("SMS_HTTP_URL", default="")
SMS_HTTP_TOKEN = env.str("SMS_HTTP_TOKEN", default="")

# --- Outside identity checks -----------------------------------------------------------------------------
IDENTITY_CHECK = env.str("IDENTITY_CHECK", default="apps.approvals.outside_checks.PostedCheck")
IDENTITY_CHECK_PRIVATE_ADDRESSES = env.bool("IDENTITY_CHECK_PRIVATE_ADDRESSES", default=False)

# --- Where sign-ins come from ----------------------------------------------------------------------------
GEOIP_DATABASE = env.str("GEOIP_DATABASE", default="")  # a file in MaxMind's format; empty: countries are not looked at

# --- Files -----------------------------------------------------------------------------------------------
FILES_ROOT = env.str("FILES_ROOT", default="")  # each environment has its own default
FILES_STORAGE_URL = env.str("FILES_STORAGE_URL", default="")  # a bucket, in the place of the folder
FILES_S3_ACCESS_KEY_ID = env.str("FILES_S3_ACCESS_KEY_ID", default="")
FILES_S3_SECRET_ACCESS_KEY = env.str("FILES_S3_SECRET_ACCESS_KEY", default="")
IDENTITY_DOCUMENTS_KEPT_DAYS = env.int("IDENTITY_DOCUMENTS_KEPT_DAYS", default=30, most=3650)  # after the decision
# Each holds one of the server's threads (8 in the image): the others are left for everything else.
FILE_TRANSFERS_AT_ONCE = env.int("FILE_TRANSFERS_AT_ONCE", default=4, most=1000)


def keep_files(*, root: Path | str) -> dict[str, Any]:
    """STORAGES["files"]: the bucket if one is named, else the folder; `root` is where that is unless FILES_ROOT says so."""
    return file_storage.storage(
        root=FILES_ROOT or str(root),
        url=FILES_STORAGE_URL,
        access_key_id=FILES_S3_ACCESS_KEY_ID,
        secret_access_key=FILES_S3_SECRET_ACCESS_KEY,
    )


# --- Sign-in of operators (Django's own users) -----------------------------------------------------------
AUTHENTICATION_BACKENDS = ["apps.operators.team.usernames.OperatorBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The same hashers keep end users' passwords; those after the first are for imported hashes.
PASSWORD_HASHERS = [
    "apps.signin.passwords.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "apps.signin.passwords.BCryptHasher",
]
LOGIN_REDIRECT_URL = "admin:index"  # where an operator lands who asked for no other page
OPERATOR_PASSWORD_SIGN_IN = env.bool("OPERATOR_PASSWORD_SIGN_IN", default=True)
OPERATOR_OIDC_ISSUER = env.str("OPERATOR_OIDC_ISSUER", default="")  # empty: operators sign in here alone
OPERATOR_OIDC_CLIENT_ID = env.str("OPERATOR_OIDC_CLIENT_ID", default="")
OPERATOR_OIDC_CLIENT_SECRET = env.str("OPERATOR_OIDC_CLIENT_SECRET", default="")  # empty: a public client
OPERATOR_OIDC_NAME = env.str("OPERATOR_OIDC_NAME", default="OpenID Connect")
OPERATOR_OIDC_SECOND_FACTOR = env.list("OPERATOR_OIDC_SECOND_FACTOR", default=[])  # of `acr` and `amr`
OPERATOR_IDLE_MINUTES = env.int("OPERATOR_IDLE_MINUTES", default=30, most=24 * 60)
OPERATOR_SESSION_HOURS = env.int("OPERATOR_SESSION_HOURS", default=12, most=30 * 24)
SESSION_ENGINE = "apps.operators.sign_in.session_store"
SESSION_COOKIE_NAME = "gatehouse_operator"
SESSION_COOKIE_AGE = OPERATOR_SESSION_HOURS * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "gatehouse_operator_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "apps.operators.error_pages.csrf_failure"
OPERATOR_SECOND_FACTOR_REQUIRED = env.bool("OPERATOR_SECOND_FACTOR_REQUIRED", default=True)

# --- The API ---------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
MAX_BODY_BYTES = 64 * 1024
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api.authentication.access_token.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.permissions.IsSignedIn"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsers.EnvelopeParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.api.renderers.EnvelopeRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.api.negotiation.JsonOnly",
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.operations.EnvelopeSchema",
    "EXCEPTION_HANDLER": "apps.api.exception_handler.answer",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is for CORS; DRF's descriptions of views are not published
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse",
    "DESCRIPTION": "Self-hosted, multi-tenant sign-in.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "ENUM_NAME_OVERRIDES": {
        "SendMethodEnum": "apps.signin.reauthentication_methods.SENT"
    },  # two serializers offer these
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "oauthClient": {"type": "http", "scheme": "basic", "description": "a registered client's id and secret"},
        },
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # a PATCH is checked like any other document
}

# --- Browsers ----------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CORS_ALLOWED_ORIGINS: list[str] = []  # Per customer: apps.api.cors answers django-cors-headers' signal.
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [
    *("authorization", "content-encoding", "content-type", "x-csrf-token", "x-otp-api-key", "x-request-id"),
]
CORS_EXPOSE_HEADERS = [
    *("X-Encrypted", "X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate"),
    *("Content-Disposition", "Content-Encoding"),  # of a file
]
CORS_URLS_REGEX = r"^/(api|\.well-known|customers)/.*$"
CONTENT_SECURITY_POLICY = {
    "default-src": ["'none'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
}

# django-unfold evaluates expressions (Alpine.js) and uses inline styles: allowed only under /admin/.
ADMIN_CONTENT_SECURITY_POLICY = {
    "default-src": ["'self'"],
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
}

# --- Static files, language, time --------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT: Path | None = None  # only production collects them; elsewhere whitenoise finds them in the apps
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = static_files.add_headers
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "files": keep_files(root=BASE_DIR / ".data" / "files"),
}
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Logs ----------------------------------------------------------------------------------------------------
LOGGING_CONFIG = None
logging_settings(level=env.str("LOG_LEVEL", default="INFO").upper())
