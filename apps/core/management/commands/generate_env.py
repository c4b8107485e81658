"""Prints a set of settings for production with fresh secrets, or writes them to a file that only its owner can read."""

import os
import secrets
import stat
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from apps.core.commands import OwnCommand
from apps.core.secret_values import fresh_secrets

FOR_ITS_OWNER = 0o600
TEMPLATE = """\
# Gatehouse, production. Keep this file secret (chmod 600): anybody who has it has everything. .env.example explains each line.
# Each value is taken as it is. A comment has a line of its own. What holds $, quotes, # or spaces goes in single quotes.

# With it, every command here works on this installation.
DJANGO_SETTINGS_MODULE=config.settings.production

# Fresh for this installation.
SECRET_KEY={SECRET_KEY}
MASTER_KEYS={MASTER_KEYS}
SERVICE_ENCRYPTION_KEY={SERVICE_ENCRYPTION_KEY}
# Only compose.yaml reads this one; it sets DATABASE_URL and REDIS_URL itself.
POSTGRES_PASSWORD={POSTGRES_PASSWORD}

# Fill these in.
#DATABASE_URL=postgresql://gatehouse:PASSWORD@db.example.com:5432/gatehouse?sslmode=verify-full&sslrootcert=system
#REDIS_URL=rediss://:PASSWORD@valkey.example.com:6379/0
#PUBLIC_URL=https://auth.example.com
#ALLOWED_HOSTS=auth.example.com
#EMAIL_URL=smtp+tls://USER:PASSWORD@smtp.example.com:587
#DEFAULT_FROM_EMAIL='Example <no-reply@auth.example.com>'

# Optional.
#TRUSTED_PROXIES=127.0.0.1
#EMAIL_URL_FALLBACK=
#REQUIRE_API_KEY=true
"""


class Command(OwnCommand):
    help = "Print a good set of environment variables for production. Works where nothing is configured yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--write", metavar="FILE", help="make this file, readable for its owner alone, instead of printing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text = TEMPLATE.format(**fresh_secrets(), POSTGRES_PASSWORD=secrets.token_urlsafe(32))
        if options["write"]:
            _write_new(Path(options["write"]), text)
            self.stderr.write(f"{options['write']} is made. Fill in its addresses.")
        else:
            self._close_to_others()
            self.stdout.write(text, ending="")

    def _close_to_others(self) -> None:
        """`generate_env > .env`: the shell has made the file, and perhaps everybody can read it."""
        with suppress(AttributeError, OSError):
            descriptor = self.stdout.fileno()
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, FOR_ITS_OWNER)


def _write_new(path: Path, text: str) -> None:
    """Never over an existing file: its secrets may be the only ones that open a database."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ITS_OWNER)
    except FileExistsError as error:
        raise CommandError(f"{path} is there already. Its secrets may be in use: move it away first.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be made: {error.strerror}.") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
