"""A developer's machine: embedded engines and generated keys under `.data/`, unless the environment names others."""

import os
from pathlib import Path

from config import development_keys, embedded, environment
from config.settings.base import *  # noqa: F403  (settings modules extend one another this way)
from config.settings.base import INSTALLED_APPS as SHARED_APPS
from config.settings.base import STORAGES as SHARED_STORAGES
from config.settings.base import env, keep_files, use_engines

environment.refuse_another_installation()
environment.refuse(env.faults)
DATA_DIR = Path(os.environ.get("GATEHOUSE_DATA_DIR") or environment.PROJECT_ROOT / ".data")

for name, value in development_keys.load(DATA_DIR).items():
    os.environ.setdefault(name, value)

if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    engines = embedded.ensure(DATA_DIR)
    for name, value in {"DATABASE_URL": engines.database_url, "REDIS_URL": engines.redis_url}.items():
        os.environ[name] = os.environ.get(name) or value

SECRET_KEY = os.environ["SECRET_KEY"]
MASTER_KEYS = environment.parse_master_keys(env.str("MASTER_KEYS", default=""))
SERVICE_ENCRYPTION_KEY = env.str("SERVICE_ENCRYPTION_KEY", default="")

PORT = os.environ.get("PORT", "8000")
# Not 127.0.0.1: passkeys need a name, and to cookies the two are different sites.
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://localhost:{PORT}")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
EMAIL_URL = env.str("EMAIL_URL", default="smtp://127.0.0.1:1025")
SMS_BACKEND = os.environ.get("SMS_BACKEND", "apps.mail.sms_transports.Console")
SMS_FILE_PATH = os.environ.get("SMS_FILE_PATH", str(DATA_DIR / "sms.jsonl"))
OPERATOR_SECOND_FACTOR_REQUIRED = False
INSTALLED_APPS = [*SHARED_APPS, "demo"]
STORAGES = {**SHARED_STORAGES, "files": keep_files(root=DATA_DIR / "files")}

globals().update(
    use_engines(
        database_url=env.str("DATABASE_URL", default="postgresql://nobody@localhost/none"),
        redis_url=env.str("REDIS_URL", default="redis://localhost:1/0"),
    )
)
environment.refuse(env.faults)
