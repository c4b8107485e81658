"""Fields of the documents that clients send: what stands in several of them, and what is tidied or refused as it is read."""

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.core import names, typed_codes
from apps.tokens.models import Delivery

LONGEST_EMAIL, LONGEST_PASSWORD = 320, 1024
LONGEST_TYPED = 64  # a code with whatever stands between its letters


# An address as it was typed; `users.emails` says whether it is one.
EmailAddressField = partial(serializers.CharField, max_length=LONGEST_EMAIL)
# A password, with every space.
PasswordField = partial(serializers.CharField, max_length=LONGEST_PASSWORD, trim_whitespace=False)
# How the client wants its tokens: in the body, or in cookies.
DeliveryField = partial(serializers.ChoiceField, choices=[Delivery.BODY, Delivery.COOKIE], default=Delivery.BODY)


class NameInputField(serializers.CharField):
    """A name that others read. It is tidied first; then its length counts, and what cannot be seen is refused."""

    def to_internal_value(self, data: Any) -> str:
        return names.tidy(super().to_internal_value(data))

    def run_validators(self, value: Any) -> None:
        super().run_validators(value)
        if not (value or self.allow_blank):
            self.fail("blank")
        try:
            names.validate(value)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error


class CodeField(serializers.CharField):
    """A code as somebody typed it; its value is the code as it was meant.

    What cannot be a code, for whatever account, is refused here and costs no try.
    """

    default_error_messages = {"no_code": _("This is not a code.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_TYPED, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if len(text) > LONGEST_TYPED:  # not worth reading
            return text  # refused by max_length
        code = typed_codes.read(text)
        if not typed_codes.is_code(code):
            self.fail("no_code")
        return code
