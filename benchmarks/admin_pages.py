"""What each page of the admin costs on a database that `benchmarks.seed` has filled.

    python -m benchmarks.admin_pages                 every page
    python -m benchmarks.admin_pages users.user      those whose name has this in it
    python -m benchmarks.admin_pages --limited 20    as an auditor sees them who is limited to so many customers

It works on the database of the present settings, in one transaction that is undone at the end. `server ms` is CPU time,
of this process and of PostgreSQL. Pages that take longer than `--most` fail the command.
"""

import argparse
import sys
from collections.abc import Iterator
from http import HTTPStatus

import django

from config import environment

environment.choose_settings()
django.setup()

from django.conf import settings  # noqa: E402  (settings come first)
from django.contrib.auth.models import User as Operator  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django_otp import DEVICE_ID_SESSION_KEY  # noqa: E402

from apps.customers.models import Customer  # noqa: E402
from apps.operators.models import AuthenticatorApp, RoleName  # noqa: E402
from apps.operators.team import roles  # noqa: E402
from benchmarks.admin import visits  # noqa: E402
from benchmarks.admin.measuring import Cost, WrongAnswer, cost_of  # noqa: E402
from benchmarks.admin.samples import Samples  # noqa: E402

HEAD = f"{'page':112}{'server ms':>10}{'Python':>8}{'SQL ms':>8}{'SQL':>5}{'bytes':>9}{'sent':>8}"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.admin_pages", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("names", nargs="*", help="parts of names; all pages if none is given")
    parser.add_argument("--most", type=float, default=300, help="milliseconds that a page may take (300)")
    parser.add_argument(
        "--limited", type=int, default=0, help="to how many customers the operator is limited (to none)"
    )
    parser.add_argument("--show-sql", action="store_true", help="the slowest statement of what takes longer")
    chosen = parser.parse_args()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")  # so that one backend does all the work
        cursor.execute("SET LOCAL statement_timeout = '1min'")
        slow = [name for name, cost in _measured(chosen) if cost is None or cost.server_ms > chosen.most]
        transaction.set_rollback(True)
    print(f"\n{len(slow)} over {chosen.most:.0f} ms" + "".join(f"\n  {name}" for name in slow))
    return bool(slow)


def _measured(chosen: argparse.Namespace) -> Iterator[tuple[str, Cost | None]]:
    samples = Samples()
    operator, browser = _signed_in(_limits(samples, chosen.limited))
    print(HEAD)
    for visit in visits.every(browser, operator, samples):
        if chosen.names and not any(name in visit.name for name in chosen.names):
            continue
        try:
            cost = cost_of(browser, visit.ask)
        except WrongAnswer as wrong:
            if chosen.limited and wrong.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                continue  # as it shall be: it is of another customer, or of none
            print(f"{visit.name[:110]:112}{wrong}", flush=True)
            yield visit.name, None
            continue
        print(_line(visit.name, cost), flush=True)
        if chosen.show_sql and cost.server_ms > chosen.most:
            print("   ", cost.slowest[:3000], flush=True)
        yield visit.name, cost


def _limits(samples: Samples, number: int) -> list[Customer]:
    """So many customers, and among them those that the samples are of."""
    wanted = {samples.customer.pk, samples.user.customer_id, samples.refusal.customer_id} if number else set()
    others = Customer.objects.order_by("id").exclude(id__in=wanted)[: max(0, number - len(wanted))]
    return [*Customer.objects.filter(id__in=wanted), *others]


def _signed_in(limits: list[Customer]) -> tuple[Operator, Client]:
    """An operator with a second factor, since production demands one. Who has no limits may do everything.

    Gone with the transaction.
    """
    operator = Operator.objects.create_superuser("admin-pages@example.com", password=None)
    if limits:
        roles.assign(operator, RoleName.AUDITOR, limits)
        operator = Operator.objects.get(pk=operator.pk)
    device = AuthenticatorApp.objects.create(user=operator, name="", confirmed=True)
    browser = Client(HTTP_HOST=settings.ALLOWED_HOSTS[0])
    browser.force_login(operator)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return operator, browser


def _line(name: str, cost: Cost) -> str:
    times = f"{cost.server_ms:>10.0f}{cost.python_ms:>8.0f}{cost.postgres_ms:>8.0f}"
    return f"{name[:110]:112}{times}{cost.statements:>5}{cost.plain_bytes:>9,}{cost.sent_bytes:>8,}"


if __name__ == "__main__":
    sys.exit(main())
