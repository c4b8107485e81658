"""Run in the peer's environment: `python -m benchmarks.peers.dj_rest_auth.prepare COUNT`."""

import sys

from benchmarks.peers.django_people import make_users, migrate
from benchmarks.peers.people import PASSWORD


def prepare(count: int) -> None:
    """All users are signed in: to do that by password would take minutes."""
    migrate()
    from rest_framework.authtoken.models import Token

    users = make_users(count, password=PASSWORD)
    Token.objects.bulk_create([Token(key=Token.generate_key(), user=user) for user in users])


if __name__ == "__main__":
    prepare(int(sys.argv[1]))
