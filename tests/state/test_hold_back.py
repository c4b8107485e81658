"""The answer to a request that announced something comes when no process trusts the old state any more; every other at once."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory

from apps.core.state import clock, hold_back
from apps.core.state.announcements import announce
from apps.core.state.hold_back import HoldBackMiddleware
from apps.core.state.lease import duration
from apps.customers.models import Customer
from tests.state.subject import change, change_elsewhere, fresh, name_of, subject

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def lease_of_200_ms(settings: object) -> None:
    settings.STATE_LEASE_MS = 200  # type: ignore[attr-defined]


def answered_after(act: Callable[[], object]) -> float:
    """Seconds from when `act` was done, as a request, or from the moment that it gives, until its answer."""
    since: list[float] = []

    def view(request: object) -> HttpResponse:
        given = act()
        since.append(given if isinstance(given, float) else clock.now())
        return HttpResponse()

    HoldBackMiddleware(view)(RequestFactory().get("/"))
    return clock.now() - since[0]


def changed(customer: Customer, name: str) -> float:
    """When it was changed: the commit follows, however long it takes until this returns."""
    with transaction.atomic():
        change(customer, name)
        return clock.now()


def test_it_is_held_back_until_every_lease_from_before_the_commit_has_run_out() -> None:
    customer = fresh()
    assert answered_after(lambda: changed(customer, "new")) >= duration()


def test_it_counts_from_the_last_commit() -> None:
    customer = fresh()
    assert answered_after(lambda: (changed(customer, "new"), changed(customer, "newer"))[-1]) >= duration()


def test_nothing_is_held_back_when_nothing_was_announced() -> None:
    acts = (lambda: None, announce, _rolled_back)
    waits = [min(answered_after(act) for _ in range(3)) for act in acts]
    assert max(waits) < duration()


def _rolled_back() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        announce(subject(fresh().id))
        _ = 1 / 0


def test_the_next_request_of_the_same_thread_does_not_wait_for_the_one_before() -> None:
    customer = fresh()
    answered_after(lambda: change(customer, "new"))
    assert min(answered_after(lambda: None) for _ in range(3)) < duration()


def test_outside_a_request_what_was_announced_is_waited_for() -> None:
    """As `manage.py` does before it ends."""
    change(fresh(), "new")
    committed = hold_back._committed_at.get()
    hold_back.wait()
    assert clock.now() - committed >= duration()


def test_after_the_answer_no_other_process_has_the_old_state() -> None:
    """C3.4, all of it in one process: another process's change is seen as soon as its answer arrives."""
    customer = fresh()
    for version in range(5):
        name_of(customer)
        answered_after(lambda name=str(version): _elsewhere(customer, name))  # type: ignore[misc]
        assert name_of(customer) == str(version)


def _elsewhere(customer: object, name: str) -> None:
    change_elsewhere(customer, name)  # type: ignore[arg-type]
    hold_back.note_commit()  # that request's own; the thread that did it is another
