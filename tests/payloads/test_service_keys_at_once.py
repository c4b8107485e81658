"""Several rotations of the service's key pair at once, and the first start of several processes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.payloads import service_keys
from apps.payloads.models import ServiceKeyPair
from tests import factories, meanwhile, races

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
OVERLAP = timedelta(days=1)


def rotate() -> None:
    service_keys.rotate(overlap=OVERLAP, context=factories.context("system"))


def current() -> list[ServiceKeyPair]:
    return list(ServiceKeyPair.objects.filter(retires_at=None))


def test_rotations_at_once_come_one_after_the_other() -> None:
    """C2.1.1. None fails, one pair is current at the end, and each other one decrypts for its overlap."""
    outcomes = races.at_once(6, lambda _: races.outcome(rotate))
    assert set(outcomes) == {"done"}
    assert len(current()) == 1
    assert ServiceKeyPair.objects.filter(retires_at__gt=timezone.now() + OVERLAP / 2).count() == 5


def test_processes_that_start_at_once_make_one_pair_and_know_it() -> None:
    kids = races.at_once(6, lambda _: service_keys._load()[0].kid)
    assert set(kids) == {current()[0].kid}
    assert ServiceKeyPair.objects.count() == 1


def test_a_rotation_before_anything_was_started_fails_neither_itself_nor_the_start() -> None:
    with meanwhile.uncommitted(rotate):
        service_keys._load()
    assert len(current()) == 1
