"""What this test's process remembers, and how it is told of what no flow has changed."""

from apps.core.state import process
from apps.core.state.announcements import announce
from apps.core.state.subjects import whole_customer
from apps.customers.models import Customer


def forget_everything() -> None:
    """As a process that has just started, or that has had much else to remember."""
    process.present().memory.forget_everything()


def changed(customer: Customer) -> None:
    """Something of this customer's was written by the test itself, where a flow would have announced it."""
    announce(whole_customer(customer.id))
