"""Re-encrypts every secret at rest under the first of MASTER_KEYS."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.core import reencryption
from apps.core.patience import UnhurriedCommand
from apps.core.reencryption import Column


class Command(UnhurriedCommand):
    help = (
        "Re-encrypt everything sealed under an older master key. Put the new key in front of MASTER_KEYS and restart "
        "every process first. Runs while the service serves; can be interrupted and started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what is to be done")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        self.stdout.write(f"Current master key: {next(iter(settings.MASTER_KEYS))}")
        columns = reencryption.columns()
        unreadable = sum(self._column(column, dry_run=options["dry_run"]) for column in columns)
        if options["dry_run"]:
            self.stdout.write(self.style.SUCCESS("Dry run: nothing was changed."))
            return
        self._conclude(unreadable=unreadable, left=sum(column.outdated().count() for column in columns))

    def _column(self, column: Column, *, dry_run: bool) -> int:
        """Returns how many values no key opens."""
        total = column.outdated().count()
        self.stdout.write(f"{column.name}: {total} to re-encrypt")
        unreadable = 0
        for progress in reencryption.reencrypt(column) if not dry_run else ():
            unreadable = progress.unreadable
            self.stdout.write(f"{column.name}: {progress.done} of {total}")
        return unreadable

    def _conclude(self, *, unreadable: int, left: int) -> None:
        """Say only then that older keys may go when it is true: a process that was not restarted still writes under them."""
        if unreadable:
            raise CommandError(
                f"{unreadable} value(s) could not be opened with any of MASTER_KEYS. "
                "Keep the older keys in it and run this again."
            )
        if left:
            raise CommandError(
                f"{left} value(s) were written under an older key meanwhile: some process still runs with the old "
                "MASTER_KEYS. Restart it and run this again."
            )
        self.stdout.write(self.style.SUCCESS("Nothing is left under an older key."))
