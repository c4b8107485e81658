"""The user's name and language."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.core import text_languages
from apps.portal.account import notices
from apps.portal.account.form_page import AccountFormPage
from apps.portal.account.forms import ReadableNameField
from apps.users import lifecycle

LONGEST_NAME = 200
AS_THE_BROWSER = ("", _("As in my browser"))


class ProfileForm(forms.Form):
    name = ReadableNameField(
        label=_("Name"),
        required=False,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    locale = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[AS_THE_BROWSER, *settings.LANGUAGES],
        help_text=_("Of these pages, and of mails to you."),
    )


class ProfilePage(AccountFormPage):
    form_class = ProfileForm
    heading = _("Name and language")
    button = _("Save")

    def initial(self) -> dict[str, Any]:
        locale = self.here.user.locale
        served = text_languages.served_by(locale) if text_languages.is_known(locale) else ""
        return {"name": self.here.user.name, "locale": served}

    def act(self, given: dict[str, Any]) -> HttpResponse:
        """A "de-AT" that stays German stays as it is."""
        changes = {name: given[name] for name in ("name", "locale") if given[name] != self.initial()[name]}
        if changes:
            lifecycle.change_profile(self.user, changes=changes, context=self.own_context)
        return self.go(notice=notices.PROFILE_SAVED)
