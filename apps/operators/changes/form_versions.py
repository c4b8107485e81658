"""What a form showed when it was opened, carried along in the form: so that it is known what has changed since.

It is signed, and holds nothing but what the page itself shows. Values are compared as the form would show them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, cast

from django import forms
from django.core import signing
from django.utils.translation import gettext as _

SALT = "gatehouse/operators/form/v2"


@dataclass(frozen=True)
class Shown:
    """The fields of a form by name."""

    fields: Mapping[str, Any]

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What `signed` has written. None for anything else."""
        try:
            return cls(signing.loads(text, salt=SALT))
        except (signing.BadSignature, ValueError):
            return None

    def signed(self) -> str:
        return signing.dumps(self.fields, salt=SALT, compress=True)


def fields_of(form: Any) -> dict[str, Any]:
    """What the form's row has in the fields that can be changed."""
    return {
        name: plain(each, form.get_initial_for_field(each, name))
        for name, each in form.fields.items()
        if not each.disabled
    }


def plain(form_field: forms.Field, value: Any) -> Any:
    """A value as JSON keeps it. One that is empty is always the same."""
    prepared = form_field.prepare_value(value)
    if isinstance(form_field, forms.ModelMultipleChoiceField):
        prepared = sorted(map(str, prepared or ()))
    return _jsonable(prepared) if prepared not in (None, "") else ""


def _jsonable(value: Any) -> Any:
    return json.loads(json.dumps(value, default=_text_of))


def _text_of(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def readable(form_field: forms.Field, value: Any) -> str:
    """A value of `plain` as a person reads it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(form_field, forms.ModelMultipleChoiceField):
        return ", ".join(map(str, _rows_of(form_field, value))) or _("nothing")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _("nothing")
    choices: dict[Any, Any] = dict(cast("Any", form_field.choices)) if isinstance(form_field, forms.ChoiceField) else {}
    return str(choices.get(value, value)) or _("nothing")


def _rows_of(form_field: "forms.ModelMultipleChoiceField[Any]", keys: Any) -> Any:
    known: Any = form_field.queryset
    return known.filter(pk__in=keys)
