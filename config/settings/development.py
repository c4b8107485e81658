"""A developer's machine: embedded engines and generated keys under `.data/`, unless the environment names others."""

import os
from pathlib import Path

from config import development_keys, embedded, environment
from config.settings.base import *  # noqa: F403  (settings modules extend one another this way)
from config.settings.base import INSTALLED_APPS as SHARED_APPS
from config.settings.base import use_engines

environment.load()
DATA_DIR = Path(os.environ.get("GATEHOUSE_DATA_DIR") or environment.PROJECT_ROOT / ".data")

for name, value in development_keys.load(DATA_DIR).items():
    os.environ.setdefault(name, value)

if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    engines = embedded.ensure(DATA_DIR)
    os.environ.setdefault("DATABASE_URL", engines.database_url)
    os.environ.setdefault("REDIS_URL", engines.redis_url)

SECRET_KEY = os.environ["SECRET_KEY"]
MASTER_KEYS = environment.parse_master_keys(os.environ["MASTER_KEYS"])
SERVICE_ENCRYPTION_KEY = os.environ["SERVICE_ENCRYPTION_KEY"]

PORT = os.environ.get("PORT", "8000")
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
EMAIL_URL = os.environ.get("EMAIL_URL", "smtp://127.0.0.1:1025")
SMS_BACKEND = os.environ.get("SMS_BACKEND", "apps.mail.text_transports.Console")
SMS_FILE_PATH = os.environ.get("SMS_FILE_PATH", str(DATA_DIR / "sms.jsonl"))
OPERATOR_SECOND_FACTOR_REQUIRED = False
INSTALLED_APPS = [*SHARED_APPS, "demo"]

globals().update(use_engines(database_url=os.environ["DATABASE_URL"], redis_url=os.environ["REDIS_URL"]))
