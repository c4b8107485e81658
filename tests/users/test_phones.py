"""Phone numbers: real ones, in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import ValidationFailed
from apps.users import phones


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 151 12345678", "+4915112345678"),
        ("+41 (0)44 668 18 00", "+41446681800"),
        ("+1 202-555-0123", "+12025550123"),
        ("\uff0b49 151 12345678", "+4915112345678"),
    ],
)
def test_a_number_has_one_spelling(text: str, number: str) -> None:
    assert phones.parse(text) == phones.parse(number) == number


@pytest.mark.parametrize(
    "text", ["", "0151 12345678", "+49", "+4915112345678901", "+1555", "+999123456789", "+41446681800;ext=3", "a\0"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        phones.parse(text)
    assert list(refused.value.fields or {}) == ["phone"]


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_validation_error(text: str) -> None:
    try:
        number = phones.parse(text)
    except ValidationFailed:
        return
    assert phones.parse(number) == number
