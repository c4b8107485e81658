"""Durations, sizes and lists as people write them, in English and German."""

from contextlib import suppress

import pytest
from django import forms
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from apps.operators.pages.measures import DurationField, LinesField, SizeField, duration, size

HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7 h", 7 * HOUR),
        ("7h", 7 * HOUR),
        (" 7 H ", 7 * HOUR),
        ("7\u00a0h", 7 * HOUR),
        ("7\u202fh", 7 * HOUR),
        ("7 hours", 7 * HOUR),
        ("1 hour", HOUR),
        ("90 min", 5400),
        ("90m", 5400),
        ("90 minutes", 5400),
        ("30 d", 30 * DAY),
        ("30 days", 30 * DAY),
        ("2 weeks", 14 * DAY),
        ("1 h 30 min", 5400),
        ("1h30m", 5400),
        ("1 h, 30 min", 5400),
        ("1 hour and 30 minutes", 5400),
        ("30 min 1 h", 5400),
        ("1 d 2 h 3 min 4 s", DAY + 2 * HOUR + 184),
        ("1.5 h", 5400),
        ("1,5 h", 5400),
        ("0.25 h", 900),
        ("45 s", 45),
        ("45 seconds", 45),
        ("25200", 25200),
        ("0", 0),
        ("\uff17 h", 7 * HOUR),  # full-width, as some keyboards write it
        ("7 Std.", 7 * HOUR),
        ("7 Std", 7 * HOUR),
        ("1 Stunde", HOUR),
        ("7 Stunden", 7 * HOUR),
        ("1 Std. 30 Min.", 5400),
        ("1 Stunde und 30 Minuten", 5400),
        ("90 Minuten", 5400),
        ("30 Tage", 30 * DAY),
        ("1 Tag", DAY),
        ("30 T", 30 * DAY),
        ("2 Wochen", 14 * DAY),
        ("45 Sek.", 45),
        ("45 Sekunden", 45),
        ("1,5 Std.", 5400),
    ],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_spelling_is_understood(text: str, seconds: int, language: str) -> None:
    with translation.override(language):
        assert DurationField(least=0).clean(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "h",
        "7 x",
        "7 hh",
        "-7 h",
        "7 h 7 h",
        "7 h 7 hours",
        "1:30",
        "1,000 s",  # a thousand, or one
        "1.000 s",
        "1.5",
        "0.5 s",
        "1e3",
        "7 h 30",
        "\u0667 h",
        "∞",
        "7 h; DROP TABLE",
        "1/2 h",
        "9" * 65,
        "PT7H",
        "\0",
    ],
)
def test_what_can_be_misread_is_refused(text: str) -> None:
    with pytest.raises(forms.ValidationError, match="such as 7 h"):
        DurationField(least=0).clean(text)


@pytest.mark.parametrize("text", ["4 min", "25 h", "0", "99999999999999999999"])
def test_the_bounds_are_said_as_they_would_be_written(text: str) -> None:
    with pytest.raises(forms.ValidationError, match="Give 5 min to 1 d"):
        DurationField(least=300, most=DAY).clean(text)


def test_empty_is_no_number() -> None:
    assert DurationField(least=1, required=False).clean("") is None
    with pytest.raises(forms.ValidationError):
        DurationField(least=1).clean("")


@given(st.integers(0, 400 * DAY))
def test_what_is_shown_is_read_again_as_the_same(seconds: int) -> None:
    field = DurationField(least=0)
    assert field.clean(field.prepare_value(seconds)) == seconds
    assert not field.has_changed(seconds, duration(seconds))


@given(st.text(max_size=80))
def test_no_text_is_an_error_of_the_server(text: str) -> None:
    for field in (DurationField(least=0, required=False), SizeField(least=0, required=False), LinesField()):
        with suppress(forms.ValidationError):
            field.clean(text)
        field.has_changed(None, text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(25200, "7 h"), (5400, "1 h 30 min"), (30 * DAY, "30 d"), (45, "45 s"), (0, "0 s"), (600, "10 min")],
)
def test_a_duration_is_shown_as_it_is_written(seconds: int, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("25 MiB", 25 << 20),
        ("25MB", 25 << 20),
        ("1.5 GiB", 3 << 29),
        ("1 TiB", 1 << 40),
        ("512", 512),
        ("512 Bytes", 512),
        ("0", 0),
    ],
)
def test_sizes_are_understood(text: str, number: int) -> None:
    assert SizeField(least=0).clean(text) == number


@given(st.integers(0, 1 << 47))
def test_a_size_is_shown_as_it_is_written(number: int) -> None:
    assert SizeField(least=0).clean(size(number)) == number


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("DE\nAT", ["DE", "AT"]),
        ("DE, AT", ["DE", "AT"]),
        (" DE\r\n\r\n AT ", ["DE", "AT"]),
        ('["DE", "AT"]', ["DE", "AT"]),
        ("", []),
        ("[]", []),
    ],
)
def test_lists_are_written_one_entry_a_line(text: str, entries: list[str]) -> None:
    assert LinesField().clean(text) == entries


def test_a_list_shown_and_sent_back_has_not_changed() -> None:
    field = LinesField()
    assert not field.has_changed(["DE", "AT"], field.prepare_value(["DE", "AT"]))
    assert field.has_changed(["DE", "AT"], "AT\nDE")
