"""`manage.py import_users FILE --customer SLUG`: users from another system, one JSON object a line."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from apps.accounts import importing
from apps.accounts.importing import BadLine, ImportedUser
from apps.core.commands import OwnCommand
from apps.customers.models import Customer
from apps.users import roles

BATCH = 500
MOST_FAULTS_SHOWN = 20


class Command(OwnCommand):
    help = (
        'Import users from JSON lines: {"email": …, "password_hash": …, "name": …, "role": …, "locale": …, "email_verified": …}. '
        "Nothing is imported unless every line is right; users who exist already are left as they are, so it can be run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--customer", required=True, help="the customer's slug")
        parser.add_argument("--dry-run", action="store_true", help="check the file and import nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = _customer(options["customer"])
        lines = self._check(options["file"], customer)
        if options["dry_run"]:
            self.stdout.write(f"{lines} users could be imported. Nothing was.")
            return
        done = made = 0
        for batch in _batches(_users(options["file"])):
            made += _keep(customer, batch)
            done += len(batch)
            self.stdout.write(f"{done} of {lines} lines")
        self.stdout.write(f"Imported {made} users; {lines - made} were there already.")

    def _check(self, file: Path, customer: Customer) -> int:
        """How many lines there are. Raises CommandError when any is wrong."""
        faults, lines, known = [], 0, roles.names_of(customer.id)
        for number, line in _lines(file):
            lines += 1
            try:
                importing.require_role(importing.parse(line), known)
            except BadLine as fault:
                faults.append(f"line {number}: {fault}")
        if faults:
            shown = "\n".join(faults[:MOST_FAULTS_SHOWN])
            raise CommandError(f"Nothing was imported: {len(faults)} of {lines} lines are wrong.\n{shown}")
        return lines


def _keep(customer: Customer, batch: list[ImportedUser]) -> int:
    try:
        return importing.keep(customer, batch, now=timezone.now())
    except IntegrityError as error:
        message = "Somebody of this batch has registered just now. What is before it is imported: run this again."
        raise CommandError(message) from error


def _customer(slug: str) -> Customer:
    customer = Customer.objects.filter(slug=slug).first()
    if customer is None:
        known = ", ".join(Customer.objects.values_list("slug", flat=True)[:20])
        raise CommandError(f"There is no customer {slug!r}. There are: {known}.")
    return customer


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open(encoding="utf-8") as opened:
            yield from ((number, line) for number, line in enumerate(opened, start=1) if line.strip())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8.") from error


def _users(file: Path) -> Iterator[ImportedUser]:
    return (importing.parse(line) for _number, line in _lines(file))


def _batches(users: Iterator[ImportedUser]) -> Iterator[list[ImportedUser]]:
    while batch := list(islice(users, BATCH)):
        yield batch
