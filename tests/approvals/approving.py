"""Users who wait to be approved, and the decision."""

from apps.approvals import decisions
from apps.approvals.models import IdentityCheck
from apps.customers.models import Customer
from demo.client import Client
from tests import factories
from tests.accounts.registering import register, verify
from tests.conftest import MakeClient
from tests.otp.reading import newest_code


def waiting(client_for: MakeClient, **policy: object) -> tuple[Customer, Client, IdentityCheck]:
    customer = factories.customer(demands_approval=True, **policy)
    client = client_for(customer)
    register(client)
    assert verify(client, newest_code()).document["user"]["status"] == "pending"
    return customer, client, IdentityCheck.objects.get()


def decide(check: IdentityCheck, approve: bool = True, reason: str = "") -> None:
    customer = factories.state_of(check.customer)
    acting = {"customer": customer, "context": factories.context("operator:o")}
    if approve:
        decisions.approve(check, **acting)  # type: ignore[arg-type]
    else:
        decisions.reject(check, reason=reason, **acting)  # type: ignore[arg-type]
