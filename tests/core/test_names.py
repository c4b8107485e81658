"""Names that others read: any script and emoji, but nothing invisible."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from apps.core import names

READABLE = {
    "plain": "Ada Lovelace",
    "punctuation": "Jean\u2013Luc O\u2019Brien & S\u00f6hne (No. 7)",
    "composed": "Zo\u00eb",
    "decomposed": "Zoe\u0308",
    "a compatibility ideograph of a Japanese name": "\ufa19\u8c37",
    "an ideograph and its variant": "\u6e21\u9089\U000e0100",
    "Hebrew": "\u05e9\u05e8\u05d4",
    "Persian, with a non-joiner": "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "Persian, with one that changes nothing": "\u0645\u0647\u0631\u200c\u0622\u0628\u0627\u062f\u06cc",
    "Sinhala, with a joiner": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Malayalam, ending with a joiner": "\u0d30\u0d3e\u0d1c\u0d28\u0d4d\u200d",
    "Bengali, with a joiner before the virama": "\u09b0\u200d\u09cd\u09af\u09be\u09ac",
    "Devanagari, with a non-joiner": "\u0915\u094d\u200c\u0937",
    "an emoji of two": "\U0001f469\u200d\U0001f4bb Lab",
    "with a colour of skin": "\U0001f469\U0001f3fd\u200d\u2695\ufe0f",
    "with a selector": "\u2764\ufe0f\u200d\U0001f525",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a flag of colours": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "an arrow": "\U0001f642\u200d\u2194\ufe0f",
    "a keycap": "1\ufe0f\u20e3",
    "exclamation marks as an emoji": "\u203c\ufe0f",
}

REFUSED = {
    "NUL": "a\0b",
    "a line end": "a\nBcc: b",
    "another line end": "a\u2028b",
    "a control of Latin-1": "a\x85b",
    "right-to-left override": "invoice\u202efdp.exe",
    "a bidirectional isolate": "a\u2066b",
    "a direction mark": "\u200eada",
    "the Arabic letter mark": "a\u061cb",
    "zero-width space": "ad\u200ba",
    "word joiner": "ad\u2060a",
    "byte order mark": "\ufeffada",
    "soft hyphen": "ad\u00ada",
    "a joiner between Latin letters": "a\u200db",
    "a non-joiner between Latin letters": "a\u200cb",
    "a non-joiner at the end": "\u0639\u0644\u06cc\u200c",
    "a non-joiner at the beginning": "\u200c\u0639\u0644\u06cc",
    "two non-joiners": "\u0639\u0644\u06cc\u200c\u200c\u0631",
    "a joiner between two scripts": "a\u200d\u0639",
    "Hangul filler": "\u3164",
    "another Hangul filler": "\uffa0",
    "Hangul filler within": "a\u115fb",
    "the blank of Braille": "\u2800",
    "grapheme joiner": "a\u034fb",
    "a selector after a letter": "a\ufe0f",
    "a selector after a digit": "1\ufe0f",
    "an ideograph's selector after a letter": "a\U000e0101",
    "a tag": "ada\U000e0041",
    "a lone surrogate": "\ud800",
    "private use": "\ue000",
    "a noncharacter": "a\uffff",
    "another noncharacter": "a\ufdd0",
    "an accent without a letter": "\u0301",
}


@pytest.mark.parametrize("name", READABLE.values(), ids=READABLE)
def test_names_of_any_script_are_kept_as_they_are(name: str) -> None:
    assert names.tidy(name) == name
    names.validate(name)
    assert names.cleaned(name) == name


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_seen_is_refused(name: str) -> None:
    """C4: names hold no control, bidirectional-override or invisible characters."""
    with pytest.raises(ValidationError):
        names.validate(names.tidy(name))


def test_the_refusal_says_which_character() -> None:
    with pytest.raises(ValidationError, match=r"U\+202E"):
        names.validate("ada\u202e")


@pytest.mark.parametrize("name", ["  Ada  Lovelace ", "Ada\u00a0Lovelace", "\u3000Ada \u2003Lovelace\u202f"])
def test_unusual_spaces_become_plain_ones(name: str) -> None:
    assert names.tidy(name) == "Ada Lovelace"


@pytest.mark.parametrize("name", ["", " ", "\u00a0", "\u3000\u2003", "\u1680"])
def test_a_name_of_blanks_is_empty(name: str) -> None:
    assert names.tidy(name) == ""


@given(st.text())
def test_whatever_is_cleaned_is_tidy_and_holds_no_control(text: str) -> None:
    once = names.cleaned(text)
    assert names.tidy(once) == once
    assert not {unicodedata.category(letter) for letter in once} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(once) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")


def test_line_ends_of_a_user_agent_become_spaces() -> None:
    assert names.cleaned("Mozilla\u202e/5.0\r\n\0x") == "Mozilla/5.0 x"
