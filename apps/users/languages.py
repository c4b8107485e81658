"""In which language a user gets mails and SMS (contract 7.3). Only this file knows the order:

what the request asks for, else the user's language, else the first one of Accept-Language that our texts exist in, else the
customer's.
"""

from django.utils.translation import to_locale
from django.utils.translation.trans_real import parse_accept_lang_header

from apps.core import text_languages
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.users.models import User

LONGEST = 16  # characters of a user's language


def asked_for(*, locale: str = "", user: User | None = None, context: RequestContext) -> str:
    """The language that request or user ask for, if our texts exist in it; empty if there is none."""
    tags = [locale, user.locale if user else "", *accepted_by(context)]
    return next((tag for tag in tags if len(tag) <= LONGEST and text_languages.is_known(tag)), "")


def of_mail(customer: CustomerState, *, locale: str = "", user: User | None = None, context: RequestContext) -> str:
    """The language of a mail or SMS."""
    return asked_for(locale=locale, user=user, context=context) or customer.default_locale


def accepted_by(context: RequestContext) -> list[str]:
    """The languages of Accept-Language, the most wanted first; none if the header is malformed (RFC 9110 section 12.5.4)."""
    weighed = parse_accept_lang_header(context.accept_language)
    return [to_locale(tag).replace("_", "-") for tag, weight in weighed if weight > 0 and tag != "*"]
