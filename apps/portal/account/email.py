"""Another address: asked for, and confirmed by the code that was sent there."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.accounts import email_change
from apps.portal.account import notices
from apps.portal.account.form_page import AccountFormPage, SentCodePage
from apps.portal.account.forms import LONGEST_EMAIL
from apps.portal.account.page import AccountPage
from apps.users import emails

PAGE = "email"


class EmailForm(forms.Form):
    email = forms.CharField(
        label=_("New address"),
        max_length=LONGEST_EMAIL,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": ""}),
    )


class EmailPage(AccountFormPage):
    template = "portal/account/email.html"
    form_class = EmailForm
    needs_fresh_proof = True
    heading = _("Email address")
    button = _("Send a code to the new address")

    def act(self, given: dict[str, Any]) -> HttpResponse:
        send(self, given["email"])
        return self.go(f"{PAGE}/confirm", notices.CODE_SENT)


class ConfirmEmailPage(SentCodePage):
    begins_at = PAGE
    back = PAGE
    heading = _("Confirm the new address")
    button = _("Change the address")

    def sent_to(self) -> str | None:
        change = email_change.waiting(self.user, self.context.now)
        return change.new_email if change else None

    def send(self, to: str) -> None:
        send(self, to)

    def act(self, given: dict[str, Any]) -> HttpResponse:
        email_change.confirm(
            email_change.EmailChangeProof(
                customer=self.customer,
                user=self.user,
                session_id=self.session_id,
                address=emails.parse(self.sent_to() or ""),
                code=given["code"],
                context=self.own_context,
            )
        )
        return self.go(notice=notices.EMAIL_CHANGED)


def send(page: AccountPage, to: str) -> None:
    """Send a code to the new address. Raises GatehouseError."""
    email_change.request(
        email_change.EmailChangeRequest(
            customer=page.customer,
            user=page.user,
            session_id=page.session_id,
            address=emails.parse(to),
            password="",  # the session's proof is fresh
            context=page.own_context,
        )
    )
