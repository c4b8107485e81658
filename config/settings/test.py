"""The tests: engines started by the plugin `tests.engines`, fixed addresses, throwaway keys. The same code as in production."""

import os

from config import development_keys, environment
from config.settings.base import *  # noqa: F403  (settings modules extend one another this way)
from config.settings.base import env, use_engines

for name, value in development_keys.generate().items():
    os.environ.setdefault(name, value)  # Inherited by the workers that a test starts.

SECRET_KEY = os.environ["SECRET_KEY"]
MASTER_KEYS = environment.parse_master_keys(os.environ["MASTER_KEYS"])
SERVICE_ENCRYPTION_KEY = os.environ["SERVICE_ENCRYPTION_KEY"]
PUBLIC_URL = os.environ.get("PUBLIC_URL", "https://auth.example.test")
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
EMAIL_URL = os.environ.get("EMAIL_URL", "smtp://127.0.0.1:1")
MAIL_LEASE_SECONDS = float(os.environ.get("MAIL_LEASE_SECONDS", "8"))
STATE_LEASE_MS = int(os.environ.get("STATE_LEASE_MS", "10"))  # every revoking call waits for so long
OPERATOR_SECOND_FACTOR_REQUIRED = False
WHITENOISE_AUTOREFRESH = True  # looks for a file when it is asked for; else each client of each test reads all files

globals().update(use_engines(database_url=os.environ["DATABASE_URL"], redis_url=os.environ["REDIS_URL"]))
environment.refuse(env.faults)
