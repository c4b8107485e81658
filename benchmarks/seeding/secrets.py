"""A signing secret for each seeded customer, sealed by the present master key as the service does it."""

import time
from collections.abc import Callable

from apps.customers import keyring
from apps.customers.models import SigningSecret
from apps.customers.policy import Algorithm
from benchmarks.seeding import words
from benchmarks.seeding.bulk import Cursor
from benchmarks.seeding.rows import Run

IDS = f"SELECT pg_temp.id({words.SECRET_ID}, n), pg_temp.id({words.CUSTOMER_ID}, n) FROM generate_series(%s::bigint, %s) AS n"  # noqa: S608


def fill(cursor: Cursor, run: Run, *, say: Callable[[str], None]) -> None:
    """New customers sign with HS256, as by default."""
    began = time.monotonic()
    cursor.execute(IDS, [run.first, run.first + run.scale.customers - 1])
    rows = [
        SigningSecret(id=kid, customer_id=customer, algorithm=Algorithm.HS256, created_at=run.now)
        for kid, customer in cursor
    ]
    for row in rows:
        keyring.fill_secret(row)
    SigningSecret.objects.bulk_create(rows, batch_size=5000)
    say(f"{len(rows):,} signing secrets ({time.monotonic() - began:.0f} s)")
