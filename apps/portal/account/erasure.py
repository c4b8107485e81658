"""Deleting the account, for good."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.accounts import erasure
from apps.portal import browser_session
from apps.portal.account.form_page import AccountFormPage
from apps.portal.account.forms import LONGEST_EMAIL
from apps.users import emails


class ErasureForm(forms.Form):
    """Typing the address takes a moment to think."""

    email = forms.CharField(
        label=_("Your email address, to be sure"),
        max_length=LONGEST_EMAIL,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, own: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._own = own

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"]
        if not emails.same_mailbox(typed.strip(), self._own):
            raise ValidationError(_("This is not the address of this account."))
        return typed


class ErasurePage(AccountFormPage):
    """Says what goes, asks for the address, and deletes. Its answer is the last page: nobody is signed in then."""

    template = "portal/account/delete.html"
    form_class = ErasureForm
    needs_fresh_proof = True
    heading = _("Delete your account")
    button = _("Delete the account for good")

    def form(self, given: Any = None) -> Form:
        return ErasureForm(given, own=self.here.user.email, label_suffix="")

    def act(self, given: dict[str, Any]) -> HttpResponse:
        erasure.erase_oneself(customer_id=self.customer.id, user_id=self.here.user.id, context=self.context)
        response = self.show(
            self.request,
            "portal/account/deleted.html",
            heading=_("Your account has been deleted."),
            lead=_("All that belonged to it is deleted, too."),
        )
        browser_session.clear(response, self.customer)
        return response
