"""Fields of the account's forms: what people type is read as the API reads it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.core import names, typed_codes
from apps.customers.policy import CodeAlphabet
from apps.payloads import strict_json
from apps.payloads.strict_json import NotStrictJson

LONGEST_TYPED = 64  # characters: a code with whatever stands between its letters
LONGEST_CREDENTIAL = 16_384  # characters of JSON
LONGEST_EMAIL, LONGEST_PASSWORD, LONGEST_PHONE = 320, 1024, 32


class ReadableNameField(forms.CharField):
    """A name that others read: tidied, and refused if something in it cannot be seen."""

    def to_python(self, value: Any) -> str:
        return names.tidy(super().to_python(value) or "")

    def validate(self, value: str) -> None:
        super().validate(value)
        names.validate(value)


class TypedCodeField(forms.CharField):
    """A code as somebody typed it; its value is the code as it was meant."""

    def __init__(self, *, is_sent: bool = True, **options: Any) -> None:
        """`is_sent`: by mail or SMS, or shown by an app: digits that browsers can fill in."""
        attributes = {"autocomplete": "one-time-code" if is_sent else "off", "spellcheck": "false", "autofocus": ""}
        if is_sent:
            attributes.update({"inputmode": "numeric", "class": "code", "data-code": ""})
        widget = forms.TextInput(attrs={**attributes, "autocapitalize": "characters"})
        super().__init__(**{"label": _("Code"), "max_length": LONGEST_TYPED, "widget": widget, **options})

    def clean(self, value: Any) -> str:
        code = typed_codes.read(super().clean(value))
        if not typed_codes.is_code(code):
            raise ValidationError(_("This is not a code."))
        return code


class OneCodeForm(forms.Form):
    code = TypedCodeField()

    def for_codes_of(self, alphabet: str) -> "OneCodeForm":
        """For codes of letters a keyboard of digits would not do."""
        if alphabet != CodeAlphabet.DIGITS:
            self.fields["code"].widget.attrs["inputmode"] = "text"
        return self


class RecoveryCodeForm(forms.Form):
    code = TypedCodeField(is_sent=False, label=_("Recovery code"))


class CredentialForm(forms.Form):
    """What a passkey has signed. The script of the page fills it in."""

    credential = forms.CharField(widget=forms.HiddenInput, max_length=LONGEST_CREDENTIAL)

    def clean_credential(self) -> dict[str, Any]:
        try:
            return strict_json.parse_object(self.cleaned_data["credential"].encode())
        except NotStrictJson as error:
            raise ValidationError(_("This passkey was not accepted. Please try again.")) from error


def password_field(*, label: Any, is_new: bool = False, **options: Any) -> forms.CharField:
    """A password, with every space."""
    attributes = {"autocomplete": "new-password" if is_new else "current-password"}
    widget = forms.PasswordInput(attrs=attributes)
    return forms.CharField(label=label, strip=False, max_length=LONGEST_PASSWORD, widget=widget, **options)


class PasswordForm(forms.Form):
    password = password_field(label=_("Password"))


class Nothing(forms.Form):
    """For pages that only ask whether one is sure."""
