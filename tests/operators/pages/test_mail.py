"""Mails are sent again."""

import pytest
from django.conf import settings
from django.test import Client

from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer
from apps.customers.operator_mails import OperatorMail
from apps.mail.models import LedgerStep, Message, MessageState
from apps.operators.models import RoleName
from apps.operators.sign_in import notices
from tests import factories
from tests.conftest import MakeClient
from tests.mail import posting
from tests.operators.limiting import with_role
from tests.operators.signing_in import operator, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/mail/message/"


def test_a_mail_is_sent_again_while_its_content_is_kept(browser: Client, client_for: MakeClient) -> None:
    client_for(factories.customer()).request_otp("ada@example.com")
    message = Message.objects.get()
    Message.objects.update(state=MessageState.FAILED)
    path = f"/admin/mail/message/{message.id}"
    browser.post(f"{path}/resend/")
    assert Message.objects.get().state == MessageState.QUEUED
    Message.objects.update(state=MessageState.SENT, content="")
    page = browser.post(f"{path}/resend/", follow=True)
    assert "no longer kept" in page.content.decode()
    assert Message.objects.get().state == MessageState.SENT


@pytest.mark.parametrize("role", RoleName)
def test_mails_to_operators_are_for_those_who_may_see_operators(role: RoleName) -> None:
    """They are rows of the default customer: who is limited to it helps its users, and learns of no operator."""
    house = Customer.objects.get(id=DEFAULT_CUSTOMER_ID)
    boss = operator("boss@example.com")
    notices.post(boss, notices.PASSWORD_CHANGED, factories.context())
    posting.post(posting.branding(house.id), recipient="user@example.com")
    row = Message.objects.get(recipient="boss@example.com")
    addresses = (LIST, f"{LIST}?q=boss@example.com", f"{LIST}?kind__exact={row.kind}")
    for unlimited in (False, True):
        who = with_role(
            role, *([] if unlimited else [house]), name=f"{role}-{unlimited}@example.com", unlimited=unlimited
        )
        browser, may_see = signed_in(who), unlimited and role != RoleName.SUPPORT
        assert [row in browser.get(address).context["cl"].result_list for address in addresses] == [may_see] * 3
        assert "user@example.com" in browser.get(LIST).content.decode()
        assert browser.get(f"{LIST}{row.id}/change/").status_code == (200 if may_see else 302)
        browser.post(f"{LIST}{row.id}/resend/")
        assert not row.ledger.filter(step=LedgerStep.RESENT).exists() or may_see


def test_every_mail_to_operators_is_known_as_such() -> None:
    """By the templates that lead into the admin."""
    templates = (settings.BASE_DIR / "templates/mail").glob("*/body.txt")
    to_operators = {path.parent.name for path in templates if "admin_link" in path.read_text()}
    assert to_operators == set(OperatorMail)
