"""Publishes a new key pair for clients to encrypt to."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.core.commands import OwnCommand
from apps.core.context import RequestContext
from apps.payloads import service_keys


class Command(OwnCommand):
    help = "Make a new service key pair and publish it; the old one decrypts for an overlap."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--overlap-days", type=int, default=service_keys.DEFAULT_OVERLAP.days)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["overlap_days"] <= 365:
            raise CommandError("--overlap-days must be from 0 to 365.")
        overlap = timedelta(days=options["overlap_days"])
        row = service_keys.rotate(overlap=overlap, context=RequestContext.system(now=timezone.now()))
        self.stdout.write(f"New key {row.kid}. The old one decrypts for {options['overlap_days']} more days.")
