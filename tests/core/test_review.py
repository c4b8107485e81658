"""What a review of the core found."""

import pytest

from apps.core.errors import ValidationFailed
from apps.core.pagination import _size


@pytest.mark.parametrize(
    "text", ["0000000015000000", "0000000010", "00000001" + "0" * 5000, "101", "0", "-1", "\u0663", ""]
)
def test_a_page_is_no_longer_than_the_longest(text: str) -> None:
    """Leading zeros once hid a number of any size; one of 4,301 digits was an error of ours."""
    with pytest.raises(ValidationFailed):
        _size(text)


def test_a_page_is_as_long_as_asked_for() -> None:
    assert (_size(None), _size("1"), _size("007"), _size("100")) == (50, 1, 7, 100)
