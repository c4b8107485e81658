"""Prints a good set of settings for production, fresh secrets included."""

import secrets
from base64 import urlsafe_b64encode
from typing import Any

from django.core.management.base import BaseCommand

TEMPLATE = """\
# Gatehouse, production. Keep this file secret: whoever has it has everything. .env.example explains each line.

# Fresh for this installation.
SECRET_KEY={secret_key}
MASTER_KEYS=k1:{master_key}
SERVICE_ENCRYPTION_KEY={service_key}
# Only compose.yaml reads this one; it sets DATABASE_URL and REDIS_URL itself.
POSTGRES_PASSWORD={postgres_password}

# Fill these in.
#DATABASE_URL=postgresql://gatehouse:PASSWORD@db.example.com:5432/gatehouse
#REDIS_URL=redis://valkey.example.com:6379/0
#PUBLIC_URL=https://auth.example.com
#ALLOWED_HOSTS=auth.example.com
#EMAIL_URL=smtp+tls://USER:PASSWORD@smtp.example.com:587

# Optional.
#EMAIL_URL_FALLBACK=
#DEFAULT_FROM_EMAIL=Example <no-reply@example.com>
#TRUSTED_PROXIES=10.0.0.0/8
#REQUIRE_API_KEY=true
"""


class Command(BaseCommand):
    help = "Print a good set of environment variables for production. Works where nothing is configured yet."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        master_key = urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        values = {
            "secret_key": secrets.token_urlsafe(48),
            "master_key": master_key,
            "service_key": secrets.token_hex(32),
            "postgres_password": secrets.token_urlsafe(32),
        }
        self.stdout.write(TEMPLATE.format(**values), ending="")
