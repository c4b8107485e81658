"""Fields for what a person writes: durations such as "7 h" or "1 h 30 min", sizes such as "25 MiB", lists of one entry a line."""

import json
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.audit import value_texts

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
# In English and German, whatever the page's language is: an operator may think in either.
DURATIONS: Mapping[str, int] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "sekunde", "sekunden"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten"), MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden"), HOUR),
    **dict.fromkeys(("d", "day", "days", "t", "tag", "tage", "tagen"), DAY),
    **dict.fromkeys(("w", "week", "weeks", "woche", "wochen"), WEEK),
}
SIZES: Mapping[str, int] = {
    **dict.fromkeys(("b", "byte", "bytes"), 1),
    **{name: 1 << shift for shift, names in ((10, "k kb kib"), (20, "m mb mib")) for name in names.split()},
    **{name: 1 << shift for shift, names in ((30, "g gb gib"), (40, "t tb tib")) for name in names.split()},
}
SIZE_NAMES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
LONGEST = 64  # characters
# Three digits behind a comma or dot would be a thousand to one reader, and one to another.
PART = re.compile(r"([0-9]{1,15}(?:[.,][0-9]{1,2})?) ?([a-z]+)\.?")
BETWEEN = re.compile(r"[ ,;+]*(?:(?:and|und) )?")


def read(text: str, units: Mapping[str, int]) -> int | None:
    """The number of seconds or bytes. A bare number is one of these. None for what says no whole number of them."""
    written = unicodedata.normalize("NFKC", text).casefold().strip()
    if len(written) > LONGEST:
        return None
    if written.isascii() and written.isdecimal():
        return int(written)
    return _sum_of_parts(" ".join(written.split()), units)


def _sum_of_parts(written: str, units: Mapping[str, int]) -> int | None:
    total, place, seen = Decimal(0), 0, set()
    while place < len(written):
        found = PART.match(written, place)
        unit = units.get(found[2]) if found else None
        if found is None or unit is None or unit in seen:  # "1 h 1 h" is a slip
            return None
        seen.add(unit)
        total += Decimal(found[1].replace(",", ".")) * unit
        between = BETWEEN.match(written, found.end())
        place = between.end() if between else found.end()
    return int(total) if seen and total == int(total) else None


def duration(number: int) -> str:
    """As `read` reads it, with plain spaces."""
    return value_texts.duration(number).replace("\u00a0", " ")


def size(number: int) -> str:
    """In the largest unit that needs no fraction."""
    for unit, name in SIZE_NAMES:
        if number and number % unit == 0:
            return f"{number // unit} {name}"
    return f"{number} B"


class MeasureField(forms.Field):
    """A number with units, between two bounds."""

    units: ClassVar[Mapping[str, int]]
    not_understood: ClassVar[Any]

    def __init__(self, *, least: int, most: int | None = None, **options: Any) -> None:
        options.setdefault("widget", UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}))
        super().__init__(**options)
        self.least, self.most = least, most

    @staticmethod
    def write(number: int) -> str:
        """As `read` reads it."""
        raise NotImplementedError

    def prepare_value(self, value: Any) -> Any:
        return self.write(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, int):
            return value
        if value in self.empty_values:
            return None
        found = read(str(value), self.units)
        if found is None:
            raise forms.ValidationError(self.not_understood)
        return found

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and (value < self.least or (self.most is not None and value > self.most)):
            raise forms.ValidationError(self._bounds())

    def _bounds(self) -> str:
        write = self.write
        if self.most is None:
            return _("Give at least %s.") % write(self.least)
        return _("Give %(least)s to %(most)s.") % {"least": write(self.least), "most": write(self.most)}


class DurationField(MeasureField):
    """Seconds, written as "7 h", "90 min", "30 d", "1 h 30 min" or 25200."""

    units = DURATIONS
    write = staticmethod(duration)
    not_understood = lazy("Write a duration such as 7 h, 90 min, 30 d or 1 h 30 min.")


class SizeField(MeasureField):
    """Bytes, written as "25 MiB" or 26214400. MB are read as MiB."""

    units = SIZES
    write = staticmethod(size)
    not_understood = lazy("Write a size such as 25 MiB or 1 GiB.")


class LinesField(forms.Field):
    """A list of texts, one a line. Also read as JSON, as the API has it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}))
        super().__init__(**{**options, "required": False})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        text = str(value or "").strip()
        return _of_json(text) if text.startswith("[") else text.replace(",", " ").split()

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return list(initial or []) != self.to_python(data)
        except forms.ValidationError:
            return True


def _of_json(text: str) -> list[Any]:
    """Raises ValidationError."""
    try:
        found: list[Any] = json.loads(text)
    except (ValueError, RecursionError):
        raise forms.ValidationError(_("Write one entry a line.")) from None
    return found
