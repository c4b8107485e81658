"""Which languages there are texts in: a tag that nobody has written texts for gets the default."""

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from apps.core import text_languages


@given(st.text())
def test_no_tag_can_break_the_choice_of_a_language(tag: str) -> None:
    assert text_languages.served_by(tag) in dict(settings.LANGUAGES)


@pytest.mark.parametrize(
    ("tag", "language"), [("de", "de"), ("de-AT", "de"), ("de_CH", "de"), ("fr", "en"), ("", "en"), ("en", "en")]
)
def test_a_tag_is_served_by_its_language_or_by_the_default(tag: str, language: str) -> None:
    assert text_languages.served_by(tag) == language
    assert text_languages.is_known(tag) == (tag not in ("fr", ""))
