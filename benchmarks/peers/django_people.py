"""Run in the environment of a Django peer: its tables, and users as a registration leaves them.

Models are imported within functions, since they can be only once Django is set up.
"""

from typing import Any

import django
from django.core.management import call_command

from benchmarks.peers.people import email


def migrate() -> None:
    django.setup()
    call_command("migrate", verbosity=0)


def make_users(count: int, *, password: str | None) -> list[Any]:
    """With one hash for all, since hashing costs the better part of a second. None: they sign in by mail alone."""
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    hashed = make_password(password)
    users = [User(username=f"user{number}", email=email(number), password=hashed) for number in range(count)]
    return User.objects.bulk_create(users)
