# ruff: noqa: RUF001  (letters that look like others are what these tests type)
"""C4: codes of every kind are read alike, however keyboard, mail program or clipboard has written them."""

import sys
import unicodedata
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from apps.api.fields import CodeField
from apps.api.serializers import StrictSerializer
from apps.core import typed_codes


@cache
def between() -> list[str]:
    """What may stand between two characters. When it is asked for: each process of a run reads this file."""
    return [
        *(chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) in ("Zs", "Zl", "Zp", "Pd", "Cf")),
        *"\t\n\r\f\v\x85\N{MINUS SIGN}\N{HYPHEN BULLET}\N{VARIATION SELECTOR-16}\N{HANGUL FILLER}\N{BRAILLE PATTERN BLANK}",
    ]  # fmt: skip


@cache
def zeros() -> list[str]:
    """Of every script."""
    return [chr(point) for point in range(sys.maxunicode + 1) if unicodedata.decimal(chr(point), None) == 0]


@pytest.mark.parametrize(
    "typed",
    [
        "405173",
        " 405 173\n",
        "405-173",
        "405\N{EN DASH}173",
        "405\N{NON-BREAKING HYPHEN}173",
        "405\N{NO-BREAK SPACE}173",
        "405\N{NARROW NO-BREAK SPACE}173",
        "\N{LEFT-TO-RIGHT MARK}405173\N{POP DIRECTIONAL FORMATTING}",
        "\N{ZERO WIDTH NO-BREAK SPACE}4\N{ZERO WIDTH SPACE}05173",
        "405\N{SOFT HYPHEN}173",
        "４０５１７３",
        "４０５ー１７３",
        "٤٠٥١٧٣",
        "۴۰۵۱۷۳",
        "४०५१७३",
        "𝟒𝟎𝟓𝟏𝟕𝟑",
        "④⓪⑤①⑦③",
        "4️⃣0️⃣5️⃣1️⃣7️⃣3️⃣",
    ],
)
def test_a_code_means_the_same_however_it_was_written(typed: str) -> None:
    assert typed_codes.read(typed) == "405173"


def test_letters_are_read_in_either_case_and_width() -> None:
    assert typed_codes.read("ab-Cd ｅｆ") == "ABCDEF"


def test_leading_zeros_stay() -> None:
    assert typed_codes.read("００-٠٠42") == "000042"


@given(st.from_regex(r"[0-9A-Z]{4,16}", fullmatch=True), st.data())
def test_every_script_and_everything_between_is_read_back(code: str, data: st.DataObject) -> None:
    def written(letter: str) -> str:
        shown = letter
        if letter.isdigit():
            shown = chr(ord(data.draw(st.sampled_from(zeros()))) + int(letter))
        elif data.draw(st.booleans()):
            shown = letter.lower()
        return shown + data.draw(st.sampled_from(["", *between()]))

    typed = "".join(map(written, code))
    assert typed_codes.read(typed) == code
    assert typed_codes.is_code(typed_codes.read(typed))


@given(st.text(max_size=40))
def test_reading_twice_reads_the_same(text: str) -> None:
    """The field reads it, and what checks it reads it again."""
    once = typed_codes.read(text)
    if typed_codes.is_code(once):
        assert typed_codes.read(once) == once


@pytest.mark.parametrize(
    "typed", ["", "   ", "\u200b\u200b", "405", "4.051.73", "your code: 405173", "x" * 17, "４０５!"]
)
def test_what_can_be_nobodys_code_is_none(typed: str) -> None:
    assert not typed_codes.is_code(typed_codes.read(typed))


class WithCode(StrictSerializer):
    code = CodeField()


@pytest.mark.parametrize("sent", [405173, 405173.0, True, ["405173"], {"code": "405173"}, None])
def test_only_a_json_string_is_taken(sent: object) -> None:
    """A number would have lost its leading zeros."""
    assert WithCode(data={"code": "405173"}).is_valid()
    assert not WithCode(data={"code": sent}).is_valid()


def test_what_is_too_long_to_be_typed_is_not_read() -> None:
    with pytest.raises(serializers.ValidationError):
        CodeField().run_validation("\N{ZERO WIDTH SPACE}" * 10_000 + "405173")


def test_an_empty_code_is_let_through_only_where_none_is_needed() -> None:
    assert CodeField(allow_blank=True).run_validation("") == ""
    with pytest.raises(serializers.ValidationError):
        CodeField().run_validation("")
