"""The languages that there are texts in (LANGUAGES). In which of them somebody is written to, `users.languages` decides."""

from django.conf import settings
from django.utils import translation


def is_known(tag: str) -> bool:
    """Whether there are texts for this language tag ("de-AT" is served by "de")."""
    return bool(_served_by(tag))


def served_by(tag: str) -> str:
    """Which of our languages serves this tag: the default one if no other does."""
    return _served_by(tag) or settings.LANGUAGE_CODE


def _served_by(tag: str) -> str:
    """Empty for none. Django raises ValueError for a tag of hundreds of letters."""
    try:
        return translation.get_supported_language_variant(tag.replace("_", "-")) if tag else ""
    except (LookupError, ValueError):
        return ""
