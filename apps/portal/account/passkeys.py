"""Passkeys: added, renamed, removed."""

import json
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.core.errors import NotFound
from apps.factors import passkey_enrolment, removal
from apps.factors.methods import PASSKEY
from apps.factors.models import Passkey
from apps.factors.passkey_enrolment import LONGEST_NAME
from apps.factors.removal import Removal
from apps.portal.account import notices
from apps.portal.account.factor_page import RemovePage, enrolled
from apps.portal.account.form_page import AccountFormPage
from apps.portal.account.forms import CredentialForm, ReadableNameField
from apps.portal.account.page import AccountPage

PAGE = "passkeys"
NAME = _("Name")


class PasskeysPage(AccountPage):
    template = "portal/account/passkeys.html"
    heading = _("Passkeys")
    lead = _("You sign in with your finger, your face or your device's PIN. A fake page cannot steal a passkey.")

    def facts(self) -> dict[str, Any]:
        return {"passkeys": Passkey.objects.filter(user_id=self.here.user.id)}


class NewPasskeyForm(CredentialForm):
    name = ReadableNameField(
        label=NAME,
        required=False,
        max_length=LONGEST_NAME,
        help_text=_("To tell it from others. If you give none, it is named after this browser."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AddPasskeyPage(AccountFormPage):
    """The script asks the device for a passkey, and sends what it answers."""

    template = "portal/account/add_passkey.html"
    form_class = NewPasskeyForm
    needs_fresh_proof = True
    back = PAGE
    heading = _("Add a passkey")
    lead = _("Your browser will ask where to keep it.")
    button = _("Add a passkey")

    def facts(self) -> dict[str, Any]:
        options = passkey_enrolment.creation_options(self.user, customer=self.customer, now=self.context.now)
        return {"options": json.dumps(options)}

    def act(self, given: dict[str, Any]) -> HttpResponse:
        made = passkey_enrolment.enrol(
            self.user,
            customer=self.customer,
            credential=given["credential"],
            name=given["name"],
            context=self.own_context,
        )
        return enrolled(self, made.recovery_codes, notices.PASSKEY_ADDED)


class OnePasskeyPage(AccountFormPage):
    """A page about the passkey in its path. Raises NotFound for any that is not the user's."""

    back = PAGE

    @property
    def passkey(self) -> Passkey:
        found = Passkey.objects.filter(user_id=self.here.user.id, id=self.kwargs["passkey_id"]).first()
        if found is None:
            raise NotFound
        return found

    def facts(self) -> dict[str, Any]:
        return {"subject": self.passkey.name}


class PasskeyNameForm(forms.Form):
    name = ReadableNameField(
        label=NAME, max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": ""})
    )


class RenamePasskeyPage(OnePasskeyPage):
    form_class = PasskeyNameForm
    heading = _("Rename the passkey")
    button = _("Save")

    def initial(self) -> dict[str, Any]:
        return {"name": self.passkey.name}

    def act(self, given: dict[str, Any]) -> HttpResponse:
        passkey_enrolment.rename(self.user, self.passkey.id, name=given["name"], context=self.own_context)
        return self.go(PAGE, notices.PASSKEY_RENAMED)


class RemovePasskeyPage(RemovePage, OnePasskeyPage):
    method = PASSKEY
    heading = _("Remove this passkey?")
    lead = _("It no longer opens this account. Your device may still offer it until you delete it there, too.")

    def remove(self, wanted: Removal) -> None:
        removal.remove_passkey(wanted, self.passkey.id)
