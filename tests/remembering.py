"""What this test's process remembers, and how it is told of what no flow has changed."""

from apps.api_keys import clients
from apps.core import database_connections
from apps.core.state import process
from apps.core.state.announcements import announce
from apps.core.state.subjects import whole_customer
from apps.customers.models import Customer
from apps.tokens import sessions


def forget_everything() -> None:
    """As a process that has just started, or that has had much else to remember."""
    process.present().memory.forget_everything()


def forget_what_was_noted() -> None:
    """That the use of a key or a session was written a moment ago: the next one is written, too."""
    clients._noted.clear()
    sessions._noted.clear()


def look_up_the_connection_anew() -> None:
    """This thread's to PostgreSQL: within an event loop, and outside it, Django has another."""
    database_connections._of_this_thread.connection = None


def changed(customer: Customer) -> None:
    """Something of this customer's was written by the test itself, where a flow would have announced it."""
    announce(whole_customer(customer.id))
