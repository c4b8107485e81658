"""A command of `manage.py` that changed something ends when no process trusts the old state any more (C3.4)."""

import pytest

from apps.core.state import clock
from apps.customers.models import Customer, CustomerStatus
from tests import factories, warm
from tests.worker import environment_of_process

pytestmark = pytest.mark.django_db(transaction=True)

LEASE_MS = 2000
SUSPEND = """
from apps.core.state import hold_back
from apps.customers import lifecycle
from apps.customers.models import Customer
from tests import factories
lifecycle.suspend(Customer.objects.get(slug="{slug}"), context=factories.context(factories.ACTOR))
print("committed at", hold_back._committed_at.get(), flush=True)
{then}
"""


@pytest.mark.parametrize("then", ["", "1 / 0"], ids=["well", "with an error"])
def test_it_is_held_back_however_it_ends(then: str) -> None:
    """Until every lease from before its commit has run out. Both clocks are the machine's."""
    customer = factories.customer()
    command = ["manage.py", "shell", "--command", SUSPEND.format(slug=customer.slug, then=then)]
    environment = environment_of_process(STATE_LEASE_MS=str(LEASE_MS))
    ended = warm.run(command, environment=environment)
    ended_at = clock.now()
    assert (ended.returncode == 0) is (then == ""), ended.stderr
    assert Customer.objects.get(id=customer.id).status == CustomerStatus.SUSPENDED
    said = next(line for line in ended.stdout.splitlines() if line.startswith("committed at"))
    assert ended_at >= float(said.split()[-1]) + LEASE_MS / 1000
