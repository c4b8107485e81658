"""A customer's name, remembered: the smallest thing that a room could declare."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.core.state import process, reading
from apps.core.state.announcements import announce
from apps.core.state.kinds import Document, Kind
from apps.core.state.process import Process
from apps.core.state.subjects import Subject
from apps.customers.models import Customer
from tests import factories
from tests.races import at_once


@dataclass(frozen=True)
class Named:
    id: UUID
    name: str


def subject(customer_id: UUID) -> Subject:
    return Subject("named", customer_id)


during_load: list[
    Callable[[], object]
] = []  # what happens between a look at PostgreSQL and the storing of what it gave


def parse(_: object, document: Document) -> Named:
    for act in during_load:
        act()
    return Named(UUID(document["id"]), document["name"])


def rows(**which: object) -> object:
    return Customer.objects.filter(**which).values("id", "name")


NAMED: Kind[UUID, Named] = Kind("named", lambda key: rows(id=key), parse, lambda key, _: subject(key))
BY_SLUG: Kind[str, Named] = Kind("named by slug", lambda key: rows(slug=key), parse, lambda _, value: subject(value.id))


def fresh() -> Customer:
    return factories.customer(name="old")


def name_of(customer: Customer) -> str | None:
    """As this process has it now."""
    found = reading.read_one(NAMED.at(customer.id))
    return found.name if found else None


def write(customer: Customer, name: str) -> None:
    Customer.objects.filter(id=customer.id).update(name=name)


def change(customer: Customer, name: str) -> None:
    """As a flow does it. This process knows it at once."""
    with transaction.atomic():
        write(customer, name)
        announce(subject(customer.id))


@contextmanager
def another_process() -> Iterator[Process]:
    """What is done in here is done as another process would, with a memory, a listener and a lease of its own."""
    before, process._Present.process = process.present(), Process()
    try:
        yield process.present()
    finally:
        process.present().lease.close()
        process._Present.process = before


def change_elsewhere(customer: Customer, name: str) -> None:
    """Another process changes it: this one learns of it by PostgreSQL alone. Called outside a transaction."""
    here = process.present()
    with another_process():
        at_once(1, lambda _: change(customer, name))
    assert process.present() is here


def elsewhere(act: Callable[[], object]) -> None:
    """In another thread, with a connection of its own."""
    at_once(1, lambda _: act())
