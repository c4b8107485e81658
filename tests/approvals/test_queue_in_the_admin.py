"""The queue of users who wait, as an operator works through it: many at once, or one after the other."""

import pytest
from django.contrib.auth.models import Permission as Right
from django.test import Client
from django.utils import timezone

from apps.approvals import decisions
from apps.approvals.models import CheckState, IdentityCheck
from apps.audit.models import Event
from apps.mail.models import Message
from apps.users.models import User, UserStatus
from tests import factories
from tests.operators.limiting import give
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/approvals/identitycheck/"


@pytest.fixture
def checks() -> list[IdentityCheck]:
    """Ten who wait, the longest first."""
    customer = factories.customer(demands_approval=True, demands_verified_email=False)
    for number in range(10):
        user = factories.user(customer, f"user{number}@example.com", status=UserStatus.PENDING)
        decisions.open_for(user, customer=factories.state_of(customer), now=timezone.now())
    return list(IdentityCheck.objects.order_by("created_at"))


def chosen(checks: list[IdentityCheck], **answer: str) -> dict[str, object]:
    return {"action": "approve_selected", "_selected_action": [str(check.id) for check in checks], **answer}


def browser() -> Client:
    operator()
    return sign_in()


def test_ten_are_approved_by_one_question(checks: list[IdentityCheck]) -> None:
    """Four clicks: all, the action, go, yes. It took four a user."""
    visitor = browser()
    asked = visitor.post(LIST, chosen(checks)).content.decode()
    assert "Approve 10 users?" in asked
    assert "good-button" in asked, "green"
    assert not IdentityCheck.objects.exclude(state=CheckState.WAITING).exists(), "it only asks"
    said = visitor.post(LIST, chosen(checks, confirmed="yes"), follow=True).content.decode()
    assert "10 users approved" in said
    assert set(User.objects.values_list("status", flat=True)) == {UserStatus.ACTIVE}
    actors = Event.objects.filter(action="user_approved").values_list("actor", flat=True)
    assert list(actors) == ["operator:ops@example.com"] * 10
    assert Message.objects.filter(kind="user_approved").count() == 10


def test_those_decided_meanwhile_are_left_alone(checks: list[IdentityCheck]) -> None:
    visitor, first = browser(), checks[0]
    facts = {"customer": factories.state_of(first.customer), "context": factories.context("operator:other@example.com")}
    decisions.approve(first, **facts)  # type: ignore[arg-type]
    said = visitor.post(LIST, chosen(checks, confirmed="yes"), follow=True).content.decode()
    assert "9 users approved" in said
    assert Event.objects.filter(action="user_approved").count() == 10


def test_a_decision_leads_to_the_next_who_waits(checks: list[IdentityCheck]) -> None:
    visitor = browser()
    first, second, third = checks[:3]
    assert visitor.post(f"{LIST}{first.id}/reject/").status_code == 200, "it asks for the reason"
    assert visitor.post(f"{LIST}{first.id}/reject/", {"reason": "Blurred"})["Location"] == f"{LIST}{second.id}/change/"
    assert visitor.post(f"{LIST}{second.id}/approve/")["Location"] == f"{LIST}{third.id}/change/"
    IdentityCheck.objects.exclude(id=third.id).update(state=CheckState.APPROVED)
    assert visitor.post(f"{LIST}{third.id}/approve/")["Location"] == LIST, "nobody waits"


def test_it_takes_the_right_to_decide(checks: list[IdentityCheck]) -> None:
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Right.objects.filter(codename__startswith="view_"))
    visitor = sign_in("clerk@example.com")
    assert "approve_selected" not in visitor.get(LIST).content.decode()
    visitor.post(LIST, chosen(checks, confirmed="yes"))
    for name in ("approve", "reject"):
        assert visitor.post(f"{LIST}{checks[0].id}/{name}/", {"reason": "no"}).status_code == 403
    assert not IdentityCheck.objects.exclude(state=CheckState.WAITING).exists()
