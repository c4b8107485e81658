"""Mails are sent again."""

import pytest
from django.test import Client

from apps.mail.models import Message, MessageState
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


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
