"""Makes what the demo shows: a customer with an API key, an operator, and `.data/demo.json` that names them."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.api_keys import keys
from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey, Scope
from apps.core.ciphers import digest
from apps.core.context import RequestContext
from apps.customers import lifecycle as customers
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer
from demo import for_examples, generosity

SLUG = "demo"
OPERATOR = "operator@example.com"


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # they would load every page and view
    help = "Make the demo customer, its API keys and an operator; write .data/demo.json. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.DATA_DIR) / "demo.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        customer = _customer()
        for_examples.prepare(customer, context=_context())
        facts = {
            "base_url": settings.PUBLIC_URL,
            "admin_url": f"{settings.PUBLIC_URL}/admin/",
            "admin_email": OPERATOR,
            "admin_password": _operator_password(known.get("admin_password")),
            "api_key": _api_key(customer, "Demo", known.get("api_key")),
            "introspection_key": _api_key(
                customer, "Demo: introspection", known.get("introspection_key"), Scope.TOKENS_INTROSPECT
            ),
            "customer_id": str(customer.id),
            "service_encryption_key": settings.SERVICE_ENCRYPTION_KEY,
            "mailbox": str(Path(settings.DATA_DIR).resolve() / "mailbox"),
            **for_examples.facts(customer, known=known, context=_context()),
        }
        _write(path, facts)
        self.stdout.write(f"Wrote {path}")


def _context() -> RequestContext:
    return RequestContext.system(now=timezone.now())


def _customer() -> Customer:
    customer = Customer.objects.filter(slug=SLUG).first() or customers.create(
        name="Demo", slug=SLUG, context=_context()
    )
    for customer_id in (customer.id, DEFAULT_CUSTOMER_ID):
        _be_generous(Customer.objects.get(id=customer_id))
    return Customer.objects.get(id=customer.id)


def _be_generous(customer: Customer) -> None:
    """Wide limits, and pages of this installation's present address beside those that are listed already."""
    generosity.widen_limits(customer)
    changes = {
        "daily_code_quota": generosity.COUNT,
        "monthly_code_quota": generosity.COUNT,
        "allowed_origins": list(dict.fromkeys([*customer.allowed_origins, settings.PUBLIC_URL])),
    }
    customers.update_policy(customer=customer, changes=changes, context=_context())


def _api_key(customer: Customer, name: str, known: str | None, scope: Scope = Scope.AUTH) -> str:
    """The key of the last run if it still works, else a new one: a key is shown only when it is made."""
    parsed = keys.parse(known) if known else None
    if known and parsed:
        row = ApiKey.objects.filter(key_id=parsed.key_id, customer=customer, revoked_at=None, expires_at=None).first()
        if row and bytes(row.digest) == digest(known.encode()):
            return known
    _, text = api_keys.create(customer=customer, name=name, scopes=[scope.value], context=_context())
    return text


def _operator_password(known: str | None) -> str:
    operators = get_user_model()
    operator, _ = operators.objects.get_or_create(
        username=OPERATOR, defaults={"email": OPERATOR, "is_staff": True, "is_superuser": True}
    )
    if known and operator.check_password(known):
        return known
    password = secrets.token_urlsafe(12)
    operator.set_password(password)
    operator.save()
    return password


def _write(path: Path, facts: dict[str, str]) -> None:
    """Replace the file in one step; only its owner may read it."""
    draft = path.with_name(f"demo.{os.getpid()}.json")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2)
    draft.replace(path)
