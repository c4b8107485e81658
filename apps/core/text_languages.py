"""The languages that our texts exist in (LANGUAGES). `users.languages` decides which of them a user gets."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from apps.core.short_texts import remembers_short_texts


def is_known(tag: str) -> bool:
    """Whether our texts exist for this language tag ("de" serves "de-AT")."""
    return bool(_served_by(tag))


def served_by(tag: str) -> str:
    """Which of our languages serves this tag; the default one if none does."""
    return _served_by(tag) or settings.LANGUAGE_CODE


def of_answer_to(request: HttpRequest) -> str:
    """The language that the request is answered in."""
    return wanted_by(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))


@remembers_short_texts(longest=200)
def wanted_by(accept_language: str) -> str:
    """Which of our languages serves this header best (RFC 9110 section 12.5.4); the default one if none does, or any will do."""
    wanted = [tag for tag, weight in parse_accept_lang_header(accept_language) if weight > 0]
    before_any = wanted[: wanted.index("*")] if "*" in wanted else wanted
    return next(filter(None, map(_served_by, before_any)), settings.LANGUAGE_CODE)


def _served_by(tag: str) -> str:
    """Empty for none. Django raises ValueError for a tag of hundreds of letters."""
    try:
        return translation.get_supported_language_variant(tag.replace("_", "-")) if tag else ""
    except (LookupError, ValueError):
        return ""
