"""Proves that no audit event was altered or removed.

Its exit code is its verdict: 0 whole, 1 altered or removed, 2 not verified (a wrong option, a lost database, a fault of ours).
"""

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.audit import chain
from apps.core.patience import UnhurriedCommand

SERVICE = "service"
ALTERED, NOT_VERIFIED = 1, 2


def _chain(text: str) -> tuple[uuid.UUID | None]:
    """In a tuple, since None is a chain of its own and no choice is another thing."""
    return (None if text == SERVICE else uuid.UUID(text),)


class Command(UnhurriedCommand):
    help = (
        "Recompute the hash chains of the audit log, print their heads, and name what does not fit. "
        "Exit code 0: it is whole. 1: something was altered or removed. 2: it could not be verified."
    )

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
        try:
            self._verify(options["customer"], options["expect"])
        except CommandError:
            raise
        except Exception as error:
            raise CommandError(
                f"The audit log could not be verified ({type(error).__name__}: {error}).", returncode=NOT_VERIFIED
            ) from error

    def _verify(self, chosen: tuple[uuid.UUID | None] | None, expected: list[str]) -> None:
        if expected and chosen is None:
            raise CommandError("--expect speaks of one customer's chain: give --customer too.", returncode=NOT_VERIFIED)
        self._link_what_waits()
        customers = list(chosen) if chosen else chain.customers()
        broken = [flaw for customer_id in customers for flaw in self._report(customer_id)]
        self._check_heads(customers[0] if chosen else None, expected)
        if broken:
            raise CommandError(f"The audit log is NOT whole: {len(broken)} chain(s) broken.", returncode=ALTERED)
        self.stdout.write(self.style.SUCCESS(f"The audit log is whole: {len(customers)} chain(s)."))

    def _link_what_waits(self) -> None:
        """What is in no chain could be removed unseen."""
        if unnoted := chain.note_what_is_unchained():
            self.stderr.write(
                self.style.WARNING(
                    f"{unnoted} event(s) were in no chain, and waited for none: they were inserted past the trigger, "
                    "or their links were removed. They are linked now."
                )
            )
        while chain.extend():
            pass

    def _report(self, customer_id: uuid.UUID | None) -> list[chain.Flaw]:
        name = customer_id or SERVICE
        found = []
        for piece in chain.pieces(customer_id):
            found += [piece.flaw] if piece.flaw else []
            for event in piece.backdated:
                self.stderr.write(
                    self.style.WARNING(f"{name}: event {event.id} is dated before what was there already")
                )
        for flaw in found:
            self.stderr.write(self.style.ERROR(f"{name}: at {flaw.position}: {flaw.what}"))
        if not found:
            head = chain.head(customer_id)
            self.stdout.write(f"{name}: {head.length} events, head {head.length}:{head.hash}")
        return found

    def _check_heads(self, customer_id: uuid.UUID | None, expected: list[str]) -> None:
        for text in expected:
            length, _, value = text.partition(":")
            if not length.isdecimal() or not value:
                raise CommandError(f"{text!r} is no head: give LENGTH:HASH.", returncode=NOT_VERIFIED)
            if not chain.contains(customer_id, int(length), value):
                raise CommandError(
                    f"The chain no longer contains {text}: events were removed or replaced.", returncode=ALTERED
                )
