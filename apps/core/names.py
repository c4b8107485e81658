"""What names may hold: names of people, organisations, keys, passkeys, and anything else that people type for others to read.

Names appear in mails, in the admin, on other people's screens. There an invisible character makes one name look like
another, and one that changes the direction of the text rewrites what stands beside it (contract 4; Unicode TR 36).
"""

import unicodedata
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

SPACE, JOINER = " ", "\u200d"
JOINERS = ("\u200c", JOINER)
VIRAMA = 9  # the canonical combining class of the sign that takes a letter's vowel away
# Controls, formatting (bidirectional and zero-width among it), lone surrogates, private use, line and paragraph ends.
REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Letters, marks and symbols that nobody sees: grapheme joiner, Hangul and Khmer fillers, the blank of Braille.
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
EMOJI_SELECTOR, KEYCAP, KEYS = "\ufe0f", "\u20e3", set("0123456789#*")
# Unicode calls these punctuation or letters; with a selector they are drawn as emoji.
PICTURED = set("\u203c\u2049\u3030\u303d\u2139")
MONGOLIAN_SELECTORS = "\u180b\u180c\u180d\u180f"
VISIBLE_CATEGORIES = ("L", "N", "P", "S")
# Scripts in which people's names are written with a joiner or a non-joiner: it changes how the letters beside it look.
# Persian "علی‌رضا", Sinhala "ශ්‍රී", Malayalam "രാജന്‍".
JOINING_SCRIPTS = {
    *("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "PHAGS-PA", "ADLAM"),
    *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA"),
    *("MYANMAR", "KHMER", "TIBETAN", "BALINESE", "JAVANESE", "SUNDANESE", "LEPCHA", "LIMBU"),
}


if TYPE_CHECKING:
    TextField = models.CharField[str, str]  # generic in the stubs alone
else:
    TextField = models.CharField


class NameField(TextField):
    """A name in a model: tidied and checked by the admin's forms and by `full_clean`."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return tidy(text) if isinstance(text, str) else text

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        validate(value)

    def deconstruct(self) -> Any:
        """To the database it is a text like any other: changed checks need no migration."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options


def tidy(text: str) -> str:
    """The name without the spaces that keyboards and copying add: at its ends, several in a row, and of unusual kinds."""
    plain = "".join(SPACE if unicodedata.category(letter) == "Zs" else letter for letter in text)
    return SPACE.join(filter(None, plain.split(SPACE)))


def validate(text: str) -> None:
    """Raises ValidationError for a name with an invisible character, and for one without any visible one. Empty is allowed."""
    refused = [letter for place, letter in enumerate(text) if not _is_allowed(text, place)]
    if refused:
        raise ValidationError(
            _("This holds a character that cannot be seen: %(it)s."), params={"it": _code(refused[0])}
        )
    if text and not any(_is_visible(letter) for letter in text):
        raise ValidationError(_("Give a name that can be read."))


def cleaned(text: str) -> str:
    """The text without the characters that `validate` refuses: for texts that nobody typed, such as a user agent."""
    kept = (letter for place, letter in enumerate(text) if _is_allowed(text, place) or _is_line_end(letter))
    return tidy("".join(SPACE if _is_line_end(letter) else letter for letter in kept))


def _is_allowed(text: str, place: int) -> bool:
    letter = text[place]
    before, after = text[place - 1] if place else "", text[place + 1 : place + 2]
    if letter in JOINERS:
        return _may_join(letter, before, after)
    if _is_selector(letter):
        return _may_select(letter, before, after)
    if unicodedata.category(letter) in REFUSED_CATEGORIES or letter in INVISIBLE or _is_noncharacter(letter):
        return False
    return unicodedata.category(letter) != "Zs" or letter == SPACE


def _may_join(joiner: str, before: str, after: str) -> bool:
    """Joiners are allowed between two letters of a script that uses them, after a virama, and within an emoji of several parts."""
    script = _script(before)
    if script in JOINING_SCRIPTS:
        return unicodedata.combining(before) == VIRAMA or _script(after) == script
    ends_emoji = before == EMOJI_SELECTOR or "\U0001f3fb" <= before <= "\U0001f3ff" or _is_pictured(before)
    return joiner == JOINER and ends_emoji and _is_pictured(after)


def _may_select(selector: str, before: str, after: str) -> bool:
    """A variation selector picks a shape of the character before it: of an emoji, or of an ideograph in a Japanese name."""
    if selector in MONGOLIAN_SELECTORS:
        return _script(before) == "MONGOLIAN"
    if selector > "\uffff":
        return _script(before) == "CJK"
    is_keycap = before in KEYS and after == KEYCAP
    return is_keycap or _is_pictured(before) or before in PICTURED or _script(before) in ("CJK", "MYANMAR")


def _is_selector(letter: str) -> bool:
    return letter in MONGOLIAN_SELECTORS or "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"


def _is_pictured(letter: str) -> bool:
    """Whether it may be an emoji, or a part of one."""
    return bool(letter) and not letter.isascii() and unicodedata.category(letter) in ("So", "Sm")


def _is_visible(letter: str) -> bool:
    return unicodedata.category(letter).startswith(VISIBLE_CATEGORIES)


def _is_line_end(letter: str) -> bool:
    return letter in "\t\n\v\f\r\x85\u2028\u2029"


def _is_noncharacter(letter: str) -> bool:
    """Unicode gives these no meaning, for ever (section 23.7)."""
    return "\ufdd0" <= letter <= "\ufdef" or ord(letter) & 0xFFFE == 0xFFFE


def _script(letter: str) -> str:
    """The script of a letter or mark, as the first word of its name says it. Empty for anything else."""
    if not letter or unicodedata.category(letter)[0] not in "LM":
        return ""
    return unicodedata.name(letter, "").partition(" ")[0]


def _code(letter: str) -> str:
    return f"U+{ord(letter):04X}"
