"""The forms of the steps. Their fields say to browsers and password managers what they are."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core import typed_codes
from apps.core.errors import GatehouseError
from apps.customers.policy import CodeAlphabet
from apps.portal.form_page import focus_on_fault
from apps.portal.sign_in import texts
from apps.signin import passwords

LONGEST_EMAIL, LONGEST_CODE, LONGEST_TOKEN = 320, 64, 8192
EMAIL_KEYBOARD = {"autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}
NEW_PASSWORD_HELP = _("At least 8 characters. A few words that do not belong together are easy to remember.")


class StepForm(forms.Form):
    """Labels end without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


def email_field(*, autocomplete: str, autofocus: bool = False) -> forms.CharField:
    focus = {"autofocus": ""} if autofocus else {}
    attributes = {**EMAIL_KEYBOARD, "autocomplete": autocomplete, **focus}
    return forms.CharField(
        label=_("Email address"), max_length=LONGEST_EMAIL, widget=forms.EmailInput(attrs=attributes)
    )


def refuse(form: StepForm, error: GatehouseError, *, field: str | None = None) -> None:
    """The form as it was sent, with this error alone: at the field that it is about, else at `field`, else above all."""
    form.full_clean()
    form.errors.clear()
    for name, said in (error.fields or {}).items():
        for text in said:
            form.add_error(name if name in form.fields else None, text)
    if not error.fields:
        form.add_error(field, texts.explained(error))
    focus_on_fault(form)


class EmailForm(StepForm):
    email = email_field(autocomplete="username webauthn", autofocus=True)


class PasswordForm(StepForm):
    """Both in one form: password managers then fill both, and know which account a password is of."""

    email = email_field(autocomplete="username")
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=passwords.LONGEST,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeStepForm(StepForm):
    """A code as people type and paste it. What cannot be a code of ours costs no try."""

    code = forms.CharField(
        label=_("Code"),
        max_length=LONGEST_CODE,
        widget=forms.TextInput(
            attrs={
                "class": "code",
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "spellcheck": "false",
                "autofocus": "",
                "data-code": "",
            }
        ),
    )

    def with_letters(self) -> "CodeStepForm":
        """For codes of letters: a keyboard of digits would not do."""
        self.fields["code"].widget.attrs.update({"inputmode": "text", "autocapitalize": "characters"})
        return self

    def for_codes_of(self, alphabet: str) -> "CodeStepForm":
        return self if alphabet == CodeAlphabet.DIGITS else self.with_letters()

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not typed_codes.is_code(typed_codes.read(code)):
            raise forms.ValidationError(_("Enter the code as it was given to you."))
        return code


class PhoneForm(StepForm):
    phone = forms.CharField(
        label=_("Number of your mobile phone"),
        max_length=32,
        help_text=_("With the code of its country, such as +49 151 23456789."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "autofocus": ""}),
    )


class RegisterForm(StepForm):
    name = forms.CharField(
        label=_("Name (optional)"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": ""}),
    )
    email = email_field(autocomplete="username")
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=passwords.LONGEST,
        help_text=NEW_PASSWORD_HELP,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": passwords.SHORTEST}),
    )
