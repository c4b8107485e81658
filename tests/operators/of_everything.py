"""A customer with a row of each model that leads to one, whose texts all bear a mark: found again wherever they leak."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from apps.alerts.models import Alert, AlertKind, AlertRule
from apps.approvals.models import IdentityCheck
from apps.audit import actions, events, refusals
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.factors import recovery_codes
from apps.factors.models import Passkey, Phone, Totp
from apps.files.models import IDENTITY_DOCUMENT, StoredObject, UserFile
from apps.mail.models import LedgerEntry, LedgerStep, Message
from apps.operators.team import scope
from apps.otp import fixed_codes
from apps.users.models import User, UserStatus
from tests import factories

# Long ones: five letters stand in one of so many random tokens by chance, whatever their case.
IP = {"zebrafinch": "198.51.100.77", "koala": "192.0.2.88"}


def furnish(mark: str) -> Customer:
    """A customer called by the mark, with something of everything."""
    customer = factories.customer(name=f"{mark} name", slug=f"{mark}-slug", demands_approval=True, daily_code_quota=7)
    user = factories.user(customer, f"{mark}@{mark}.example.com", name=f"{mark} person", role=f"{mark}_role")
    _access(customer, mark)
    _of_user(user, mark)
    _mail(user, mark)
    _waiting(customer, mark)
    _events(user, mark)
    _alerts(customer, mark)
    return customer


def rows_of(customer: Customer) -> Iterator[Model]:
    """Every row that leads to the customer, and the customer."""
    for model in apps.get_models():
        if scope.path_to_customer(model):
            yield from scope.OperatorScope([customer.pk]).narrow(model._default_manager.all())


def _access(customer: Customer, mark: str) -> None:
    context = factories.context(ip=IP[mark])
    factories.role(customer, f"{mark}_role", f"{mark}.read")
    factories.api_key(customer, name=f"{mark} key")
    factories.oauth_client(customer, is_confidential=True, name=f"{mark} app")
    factories.limit(customer, "codes_per_email", 8)
    lifecycle.replace_allowlist(customer=customer, networks={f"{IP[mark]}/32": f"{mark} office"}, context=context)
    lifecycle.update_policy(customer=customer, changes={"access_lifetime": 3600}, context=context)
    until = timezone.now() + timedelta(days=7)
    email = f"{mark}-review@example.com"
    fixed_codes.add(customer=customer, email=email, code="QWERTZ77", valid_until=until, context=context)


def _of_user(user: User, mark: str) -> None:
    now, whose = timezone.now(), {"customer": user.customer, "user": user}
    factories.session(user, user_agent=f"{mark} browser", ip=IP[mark])
    Totp.objects.create(user=user, created_at=now, confirmed_at=now)
    Phone.objects.create(user=user, hint=f"{mark} 67", created_at=now, confirmed_at=now)
    Passkey.objects.create(**whose, name=f"{mark} passkey", credential_id=mark, public_key=b"cose", created_at=now)
    recovery_codes.make(user, now=now)


def _mail(user: User, mark: str) -> None:
    now = timezone.now()
    facts: dict[str, Any] = {"created_at": now, "next_try_at": now, "expires_at": now + timedelta(hours=1)}
    whose = {"customer_id": user.customer_id, "user_id": user.id, "recipient": user.email}
    message = Message.objects.create(**facts, **whose, kind="sign_in_code", last_error=f"{mark} error")
    LedgerEntry.objects.create(message=message, at=now, step=LedgerStep.ACCEPTED, server=f"{mark} server", answer=mark)


def _waiting(customer: Customer, mark: str) -> None:
    """A user who waits, with a document."""
    now = timezone.now()
    user = factories.user(customer, f"{mark}-waits@example.com", status=UserStatus.PENDING, email_verified_at=now)
    IdentityCheck.objects.create(user=user, customer=customer, created_at=now)
    kept = StoredObject.objects.create(customer_id=customer.id, created_at=now)
    facts = {"name": f"{mark}.pdf", "purpose": IDENTITY_DOCUMENT, "size": 9, "media_type": "application/pdf"}
    UserFile.objects.create(customer=customer, user=user, created_at=now, uploaded_at=now, content=kept, **facts)


def _events(user: User, mark: str) -> None:
    context = factories.context(ip=IP[mark], user_agent=f"{mark} browser", request_id=f"{mark}-request")
    refused = NewRefusal(
        rule="ip_not_allowed",
        step="ask_for_code",
        context=context,
        customer_id=user.customer_id,
        address=f"{mark}@x.example.com",
    )
    refusals.record(refused)
    facts: dict[str, Any] = {"customer_id": user.customer_id, "context": context}
    events.record(action=actions.SIGN_IN, user_id=user.id, details={"method": "code", "name": mark}, **facts)
    events.record(
        action=actions.CODE_GUESSING, severity=Severity.HIGH, outcome=Outcome.DENIED, details={"name": mark}, **facts
    )


def _alerts(customer: Customer, mark: str) -> None:
    rule = AlertRule.objects.create(
        customer=customer, kind=AlertKind.SECURITY, threshold=1, recipients=f"{mark}-alerts@example.com"
    )
    now = timezone.now()
    facts = {"customer_id": customer.id, "customer_name": customer.name, "kind": rule.kind, "threshold": 1, "value": 3}
    Alert.objects.create(rule=rule, since=now - timedelta(hours=1), raised_at=now, **facts)
