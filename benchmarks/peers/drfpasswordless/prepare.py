"""Run in the peer's environment: `python -m benchmarks.peers.drfpasswordless.prepare COUNT`."""

import sys

from benchmarks.peers.django_people import make_users, migrate

if __name__ == "__main__":
    migrate()
    make_users(int(sys.argv[1]), password=None)
