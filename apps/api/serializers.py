"""The documents that clients send: a member has the JSON type of its field, exactly (contract 5); and codes as typed.

DRF's own fields convert: a number becomes a string (and a code loses its leading zeros), "yes" becomes true, 7 becomes an id.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.core import names, typed_codes
from apps.core.ids import parse_id

Field = serializers.Field[Any, Any, Any, Any]


class _JsonType(NamedTuple):
    """What Python makes of it, and what a client is told that sends another."""

    types: tuple[type, ...]
    message: Promise | str


STRING = _JsonType((str,), _("This must be a string."))
INTEGER = _JsonType((int,), _("This must be a whole number."))
NUMBER = _JsonType((int, float), _("This must be a number."))
BOOLEAN = _JsonType((bool,), _("This must be true or false."))
LIST = _JsonType((list,), _("This must be a list."))
OBJECT = _JsonType((dict,), _("This must be an object."))
LONGEST_TYPED = 64  # a code with whatever stands between its letters
NOT_OUR_SPELLING = _("This must be an id as we write it: lower case, with hyphens.")

# The first that fits says it. What is not named here (text, choices, ids, times) travels as a string.
_BY_FIELD: tuple[tuple[tuple[type[Any], ...], _JsonType], ...] = (
    ((serializers.BooleanField,), BOOLEAN),
    ((serializers.IntegerField,), INTEGER),
    ((serializers.FloatField, serializers.DecimalField), NUMBER),
    ((serializers.ListField, serializers.ListSerializer, serializers.MultipleChoiceField), LIST),
    ((serializers.DictField, serializers.BaseSerializer), OBJECT),
)


class StrictSerializer(serializers.Serializer[Any]):
    """A document from a client."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError, naming the members of a wrong type; only where there is none are the values looked at."""
        wrong = self._of_wrong_type(data) if isinstance(data, Mapping) else {}
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    def _of_wrong_type(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        fields = {str(field.field_name): field for field in self._writable_fields if field.field_name in data}
        return {name: texts for name, field in fields.items() if (texts := _faults(field, data[name]))}


def _faults(field: Field, value: Any) -> list[str]:
    """Null is left to DRF, which says whether it may be."""
    if value is None or isinstance(field, serializers.JSONField):
        return []
    expected = _json_type_of(field)
    if not _is_of(expected, value):
        return [str(expected.message)]
    if isinstance(field, serializers.UUIDField) and parse_id(value) is None:
        return [str(NOT_OUR_SPELLING)]
    if isinstance(field, serializers.ListField):
        return list(dict.fromkeys(text for item in value for text in _faults(field.child, item)))
    return []


def _is_of(expected: _JsonType, value: Any) -> bool:
    """To Python, true and false are whole numbers."""
    return isinstance(value, expected.types) and (expected is BOOLEAN or not isinstance(value, bool))


def _json_type_of(field: Field) -> _JsonType:
    return next((expected for fields, expected in _BY_FIELD if isinstance(field, fields)), STRING)


class NameInputField(serializers.CharField):
    """A name that others read. Its value is tidied; what cannot be seen is refused. Its length is counted then."""

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
        super().__init__(**{"max_length": LONGEST_TYPED, **options})

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if len(text) > LONGEST_TYPED:  # not worth reading
            return text  # refused by max_length
        code = typed_codes.read(text)
        if not typed_codes.is_code(code):
            self.fail("no_code")
        return code
