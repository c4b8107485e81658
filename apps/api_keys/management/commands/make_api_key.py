"""Makes an API key and prints it, once."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.api_keys import lifecycle
from apps.api_keys.models import Environment, Scope
from apps.core.commands import OwnCommand
from apps.core.context import RequestContext
from apps.core.errors import GatehouseError
from apps.customers.models import Customer


class Command(OwnCommand):
    help = "Make an API key for a customer and print it. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument("--environment", choices=Environment.values, default=Environment.LIVE)
        parser.add_argument("--scope", action="append", choices=Scope.values, help="may be given several times")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = Customer.objects.filter(slug=options["customer"]).first()
        if customer is None:
            known = ", ".join(Customer.objects.values_list("slug", flat=True)[:20])
            raise CommandError(f"There is no customer {options['customer']!r}. There are: {known}.")
        try:
            _, text = lifecycle.create(
                customer=customer,
                name=options["name"],
                environment=options["environment"],
                scopes=options["scope"],
                context=RequestContext.system(now=timezone.now()),
            )
        except GatehouseError as error:
            raise CommandError(f"{error.text} {error.fields or ''}") from error
        self.stdout.write(text)
