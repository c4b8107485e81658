"""A field of the policy is declared once: its column, its value and its place on the operators' page follow from that."""

import ast
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from django.conf import settings
from django.db import models

from apps.customers import policy, policy_texts, state
from apps.customers.models import Customer
from apps.customers.policy import Group, Policy, setting
from apps.customers.state import CustomerState
from apps.operators.pages.customers.customer_policy import FORMS
from tests import factories

APPS = Path(settings.BASE_DIR) / "apps"


@dataclass(frozen=True, kw_only=True)
class Wider(Policy):
    """As if a line had been added."""

    cups_of_tea: int = setting(models.PositiveIntegerField(default=3), Group.CODES)


def test_one_line_gives_a_new_field_its_column_value_and_group() -> None:
    assert set(policy.names(Wider)) - set(policy.NAMES) == {"cups_of_tea"}
    assert policy.columns(Wider)["cups_of_tea"].default == 3
    assert policy.groups(Wider)[Group.CODES] == (*policy.groups()[Group.CODES], "cups_of_tea")


@pytest.mark.parametrize("name", policy.NAMES)
def test_every_field_is_a_column_a_value_and_on_the_page_once(name: str) -> None:
    column = Customer._meta.get_field(name)
    assert type(column) is type(policy.columns()[name])
    assert name in {each.name for each in fields(CustomerState)}
    assert [name for form in FORMS.values() for each in form.fields if each == name] == [name]
    assert policy_texts.LABELS[name]


def test_no_text_is_of_a_field_that_is_gone() -> None:
    assert set(policy_texts.LABELS) == set(policy.NAMES)
    assert set(policy_texts.HELP) <= set(policy.NAMES)


@pytest.mark.parametrize(
    "path",
    [
        "customers/models.py",
        "customers/state.py",
        "operators/pages/customers/customer.py",
        "operators/pages/customers/customer_policy.py",
    ],
)
def test_no_other_file_declares_one(path: str) -> None:
    """Except the one that not every operator may fill in."""
    tree = ast.walk(ast.parse((APPS / path).read_text(encoding="utf-8")))
    declared = {node.value for node in tree if isinstance(node, ast.Constant)}
    assert declared & set(policy.NAMES) <= {"identity_check_url"}


@pytest.mark.django_db(transaction=True)
def test_a_customer_as_it_is_now_has_its_policy_and_cannot_be_changed() -> None:
    customer = factories.customer(sms_regions=["DE", "AT"], code_length=8)
    found = state.read(customer.id)
    assert (found.sms_regions, found.allowed_origins, found.code_length) == (("DE", "AT"), (), 8)
    with pytest.raises(AttributeError):
        found.code_length = 4  # type: ignore[misc]
