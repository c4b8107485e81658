"""Proves that no audit event was altered or removed."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit import chain

SERVICE = "service"


def _chain(text: str) -> tuple[uuid.UUID | None]:
    """In a tuple, since None is a chain of its own and no choice is another thing."""
    return (None if text == SERVICE else uuid.UUID(text),)


class Command(BaseCommand):
    help = "Recompute the hash chains of the audit log, print their heads, and name what does not fit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customer", type=_chain, help=f"only this customer (its id), or {SERVICE!r} for events of none"
        )
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            metavar="LENGTH:HASH",
            help="a head printed earlier: the chain of --customer must still contain it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen: tuple[uuid.UUID | None] | None = options["customer"]
        if options["expect"] and chosen is None:
            raise CommandError("--expect speaks of one customer's chain: give --customer too.")
        while chain.extend(everything=True):
            pass
        customers = list(chosen) if chosen else chain.customers()
        broken = [flaw for customer_id in customers for flaw in self._report(customer_id)]
        self._check_heads(customers[0] if chosen else None, options["expect"])
        if broken:
            raise CommandError(f"The audit log is NOT whole: {len(broken)} chain(s) broken.")
        self.stdout.write(self.style.SUCCESS(f"The audit log is whole: {len(customers)} chain(s)."))

    def _report(self, customer_id: uuid.UUID | None) -> list[chain.Flaw]:
        name = customer_id or SERVICE
        for event in chain.backdated(customer_id):
            self.stderr.write(self.style.WARNING(f"{name}: event {event.id} is dated before what was there already"))
        found = list(chain.flaws(customer_id))
        for flaw in found:
            self.stderr.write(self.style.ERROR(f"{name}: at {flaw.position}: {flaw.what}"))
        if not found:
            head = chain.head(customer_id)
            self.stdout.write(f"{name}: {head.length} events, head {head.length}:{head.hash}")
        return found

    def _check_heads(self, customer_id: uuid.UUID | None, expected: list[str]) -> None:
        for text in expected:
            length, _, value = text.partition(":")
            if not length.isdecimal() or not chain.contains(customer_id, int(length), value):
                raise CommandError(f"The chain no longer contains {text}: events were removed or replaced.")
