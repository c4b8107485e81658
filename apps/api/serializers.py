"""What the endpoints' serializers build on. In what clients send, a member has exactly the JSON type of its field (contract 5).

DRF's own fields convert: a number becomes a string (and a code loses its leading zeros), "yes" becomes true, 7 becomes an id.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from apps.core.ids import parse_id

Field = serializers.Field[Any, Any, Any, Any]


class _JsonType(NamedTuple):
    """The Python types of its values, and what we tell a client that sent another type."""

    types: tuple[type, ...]
    message: Promise | str


STRING = _JsonType((str,), _("This must be a string."))
INTEGER = _JsonType((int,), _("This must be a whole number."))
NUMBER = _JsonType((int, float), _("This must be a number."))
BOOLEAN = _JsonType((bool,), _("This must be true or false."))
LIST = _JsonType((list,), _("This must be a list."))
OBJECT = _JsonType((dict,), _("This must be an object."))
NOT_OUR_SPELLING = _("This must be an id as we write it: lower case, with hyphens.")

# The first that fits decides. What is not named here (text, choices, ids, times) travels as a string.
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
        """Types first: values are looked at only when every member has its type. Raises ValidationError."""
        wrong = self._of_wrong_type(data) if isinstance(data, Mapping) else {}
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    def _of_wrong_type(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        fields = {name: field for name, field in self._writable_by_name.items() if name in data}
        return {name: texts for name, field in fields.items() if (texts := _faults(field, data[name]))}

    @cached_property
    def _writable_by_name(self) -> Mapping[str, Field]:
        return {str(field.field_name): field for field in self._writable_fields}


def checked(serializer: type[serializers.Serializer[Any]], document: Mapping[str, Any] | list[Any]) -> dict[str, Any]:
    """The document as this class reads it. Raises ValidationError."""
    values: dict[str, Any] = _instance_of(serializer).run_validation(document)
    return values


@cache
def _instance_of(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One for all documents, as DRF itself uses a serializer within another: it keeps nothing of what it reads.

    DRF makes one for each document, with a copy of every field: two thirds of what reading costs (170 µs of 250).
    """
    made = serializer()
    for field in made.fields.values():
        field.validators = [each for each in field.validators if not _has_been_done(each)]
    return made


def _has_been_done(validator: Any) -> bool:
    """No parser lets half a surrogate pair through (`strict_json`). DRF looks for one at each character: 45 µs for a token."""
    return isinstance(validator, ProhibitSurrogateCharactersValidator)


def _faults(field: Field, value: Any) -> list[str]:
    """What is wrong with a value's type. Null is left to DRF, which knows whether the field allows it."""
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
    """Python counts true and false among the whole numbers; JSON does not."""
    return isinstance(value, expected.types) and (expected is BOOLEAN or not isinstance(value, bool))


def _json_type_of(field: Field) -> _JsonType:
    return next((expected for fields, expected in _BY_FIELD if isinstance(field, fields)), STRING)


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
