"""Reads codes as people type, paste and dictate them: one reader for codes of every kind (contract 4).

A phone types full-width or Arabic digits, a mail program pastes no-break spaces, a word processor makes a dash of a
hyphen. None of that is a wrong code.
"""

import re
import unicodedata

SHORTEST, LONGEST = 4, 16  # of every code that we give: by mail, SMS, authenticator app, recovery code
_CODE = re.compile(rf"[0-9A-Z]{{{SHORTEST},{LONGEST}}}")

# Cc: tabs and line ends. Cf: zero-width and direction marks. Zs, Zl, Zp: spaces. Pd: hyphens and dashes.
_SKIPPED_CATEGORIES = {"Cc", "Cf", "Zs", "Zl", "Zp", "Pd"}
# Dashes that Unicode counts elsewhere: hyphen bullet, minus, modifier minus, and the long-vowel mark that a Japanese
# keyboard types on the key of the hyphen.
_DASHES = "\u2043\u2212\u02d7\u30fc"
# Invisible letters and marks: joiners, fillers, the blank of Braille, the frame of a keycap emoji.
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u20e3\u2800\u3164\uffa0"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def read(text: str) -> str:
    """The code that this text means: digits of any script as 0 to 9, capital letters, nothing between them."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(_plain(letter) for letter in composed if not _is_skipped(letter)).upper()


def is_code(text: str) -> bool:
    """Whether this can be a code of any kind, once `read` has read it. The answer tells nothing about an account."""
    return _CODE.fullmatch(text) is not None


def _plain(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)


def _is_skipped(letter: str) -> bool:
    return (
        unicodedata.category(letter) in _SKIPPED_CATEGORIES
        or letter in _DASHES
        or letter in _INVISIBLE
        or _SELECTORS.match(letter) is not None
    )
