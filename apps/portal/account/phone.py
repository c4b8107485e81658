"""The phone number for codes by SMS: given, confirmed, replaced, removed."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.factors import overview, phones, removal
from apps.factors.methods import SMS
from apps.factors.removal import Removal
from apps.portal.account import notices
from apps.portal.account.factor_page import RemovePage, enrolled
from apps.portal.account.form_page import AccountFormPage, SentCodePage
from apps.portal.account.forms import LONGEST_PHONE
from apps.portal.account.page import AccountPage

PAGE = "phone"


class PhonePage(AccountPage):
    template = "portal/account/phone.html"
    heading = _("Codes by SMS")
    lead = _("When you sign in, a code is sent to your phone.")

    def facts(self) -> dict[str, Any]:
        return {"phone": overview.of(self.user).phone}


class NumberForm(forms.Form):
    phone = forms.CharField(
        label=_("Phone number"),
        help_text=_("With its country code, such as +49 …"),
        max_length=LONGEST_PHONE,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "autofocus": ""}),
    )


class GiveNumberPage(AccountFormPage):
    form_class = NumberForm
    needs_fresh_proof = True
    back = PAGE
    heading = _("Your phone number")
    lead = _("We send a code to this number to see that it is yours.")
    button = _("Send the code")

    def act(self, given: dict[str, Any]) -> HttpResponse:
        phones.begin(self.user, customer=self.customer, number=given["phone"], context=self.own_context)
        return self.go(f"{PAGE}/confirm", notices.CODE_SENT)


class ConfirmNumberPage(SentCodePage):
    begins_at = f"{PAGE}/number"
    back = PAGE
    heading = _("Confirm the number")
    button = _("Confirm")

    def sent_to(self) -> str | None:
        return phones.waiting_number(self.here.user.id)

    def send(self, to: str) -> None:
        phones.begin(self.user, customer=self.customer, number=to, context=self.own_context)

    def act(self, given: dict[str, Any]) -> HttpResponse:
        codes = phones.confirm(self.user, given["code"], customer=self.customer, context=self.own_context)
        return enrolled(self, codes, notices.PHONE_CONFIRMED)


class RemoveNumberPage(RemovePage):
    method = SMS
    heading = _("Remove the phone number?")
    lead = _("Codes will no longer be sent to it.")
    back = PAGE

    def remove(self, wanted: Removal) -> None:
        removal.remove_phone(wanted)
