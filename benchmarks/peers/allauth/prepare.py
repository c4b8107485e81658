"""Run in the peer's environment: `python -m benchmarks.peers.allauth.prepare COUNT`."""

import sys

from benchmarks.peers.django_people import make_users, migrate


def prepare(count: int) -> None:
    """Sign-in by code demands verified addresses."""
    migrate()
    from allauth.account.models import EmailAddress

    users = make_users(count, password=None)
    addresses = [EmailAddress(user=user, email=user.email, primary=True, verified=True) for user in users]
    EmailAddress.objects.bulk_create(addresses)


if __name__ == "__main__":
    prepare(int(sys.argv[1]))
