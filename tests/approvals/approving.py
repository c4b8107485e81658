"""Users who wait to be approved, and the decision."""

from django.utils import timezone

from apps.customers.models import Customer
from apps.signin import identity_check
from apps.signin.models import IdentityCheck
from demo.client import Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.registering import register, verify


def waiting(client_for: MakeClient, **policy: object) -> tuple[Customer, Client, IdentityCheck]:
    customer = factories.customer(demands_approval=True, **policy)
    client = client_for(customer)
    register(client)
    assert verify(client, newest_code()).document["user"]["status"] == "pending"
    return customer, client, IdentityCheck.objects.get()


def decide(check: IdentityCheck, approve: bool = True, reason: str = "") -> None:
    customer = factories.standing_of(check.customer)
    acting = {"customer": customer, "actor": "operator:o", "caller": None, "now": timezone.now()}
    if approve:
        identity_check.approve(check, **acting)  # type: ignore[arg-type]
    else:
        identity_check.reject(check, reason=reason, **acting)  # type: ignore[arg-type]
