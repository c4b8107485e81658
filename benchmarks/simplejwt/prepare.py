"""Makes the users, unless they are there, and prints a token for each, one a line: `python -m benchmarks.simplejwt.prepare COUNT`."""

import sys

import django

django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402  (Django must know its settings first)
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from rest_framework_simplejwt.settings import api_settings  # noqa: E402

from benchmarks.peers.people import PASSWORD, email  # noqa: E402


def main(count: int) -> None:
    call_command("migrate", verbosity=0)
    (token_class,) = api_settings.AUTH_TOKEN_CLASSES
    hashed = make_password(PASSWORD)
    users = [User(username=email(number), email=email(number), password=hashed) for number in range(count)]
    User.objects.bulk_create(users, ignore_conflicts=True)
    for user in User.objects.order_by("id"):
        print(token_class.for_user(user))


if __name__ == "__main__":
    main(int(sys.argv[1]))
