"""An installation of Gatehouse in `.bench/`, with production's settings; the benchmarks' own process becomes a part of it."""

import os
from collections.abc import Mapping
from pathlib import Path

import django

from apps.core.secret_values import fresh_secrets
from benchmarks.engines import Engines

DATABASE = "gatehouse_bench"
EMPTY = "gatehouse_bench_empty"  # a copy of it, as it was before anybody had signed in
VALKEY_DATABASE = 1
SLUG = "bench"  # of the customer
# What the proxy that ends TLS adds. Where addresses are counted, each request has one of its own.
HOST = "auth.example.com"
BY_PROXY = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


def environment(engines: Engines, folder: Path) -> dict[str, str]:
    """What production's settings demand. Fresh secrets: the database is fresh, too."""
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        **fresh_secrets(),
        "DATABASE_URL": engines.fresh_database(DATABASE),
        "REDIS_URL": engines.valkey_database(VALKEY_DATABASE),
        "PUBLIC_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "TRUSTED_PROXIES": "127.0.0.1/32",
        "EMAIL_URL": "smtp://localhost:25",  # no worker runs: mails stay in the outbox
        "DEFAULT_FROM_EMAIL": f"no-reply@{HOST}",
        "FILES_ROOT": str(files),
    }


def enter(variables: Mapping[str, str]) -> None:
    """From here on this process is one of the installation's, as a worker would be."""
    os.environ.update(variables, LOG_LEVEL="ERROR")
    django.setup()
