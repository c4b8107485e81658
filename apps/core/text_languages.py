"""The languages that our texts exist in (LANGUAGES). `users.languages` decides which of them a user gets."""

from django.conf import settings
from django.utils import translation


def is_known(tag: str) -> bool:
    """Whether our texts exist for this language tag ("de" serves "de-AT")."""
    return bool(_served_by(tag))


def served_by(tag: str) -> str:
    """Which of our languages serves this tag; the default one if none does."""
    return _served_by(tag) or settings.LANGUAGE_CODE


def _served_by(tag: str) -> str:
    """Empty for none. Django raises ValueError for a tag of hundreds of letters."""
    try:
        return translation.get_supported_language_variant(tag.replace("_", "-")) if tag else ""
    except (LookupError, ValueError):
        return ""
