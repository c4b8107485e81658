"""Fields that take what they say, and nothing that merely can be turned into it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.core import typed_codes

LONGEST_TYPED = 64  # a code with whatever stands between its letters


class StrictCharField(serializers.CharField):
    """A JSON string. DRF's own field takes numbers too, and a number has lost its leading zeros."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)


class CodeField(StrictCharField):
    """A code as somebody typed it; its value is the code as it was meant.

    What cannot be a code, for whatever account, is refused here and costs no try.
    """

    default_error_messages = {"no_code": _("This is not a code.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": LONGEST_TYPED, **options})

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if len(text) > LONGEST_TYPED:  # not worth reading
            return text  # refused by max_length
        code = typed_codes.read(text)
        if not typed_codes.is_code(code):
            self.fail("no_code")
        return code
