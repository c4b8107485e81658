"""In which language somebody is written to: the request's own wish, else the user's, else the first of Accept-Language that we
have, else the customer's (contract 7.3).
"""

from django.utils.translation import to_locale
from django.utils.translation.trans_real import parse_accept_lang_header

from apps.core.requests import Caller
from apps.customers.state import CustomerState
from apps.mail import content
from apps.users.models import User

LONGEST = 16  # what a user's language may be


def asked_for(*, wish: str = "", user: User | None = None, caller: Caller | None = None) -> str:
    """The language that request or user ask for, of those that there are texts for; empty if they ask for none."""
    accepted = accepted_by(caller) if caller else []
    tags = [wish, user.locale if user else "", *accepted]
    return next((tag for tag in tags if len(tag) <= LONGEST and content.is_known(tag)), "")


def of_mail(customer: CustomerState, *, wish: str = "", user: User | None = None, caller: Caller | None = None) -> str:
    """The language of a mail or SMS."""
    return asked_for(wish=wish, user=user, caller=caller) or customer.default_locale


def accepted_by(caller: Caller) -> list[str]:
    """The languages of Accept-Language, the dearest first; none of a header that is malformed (RFC 9110 section 12.5.4)."""
    weighed = parse_accept_lang_header(caller.accept_language)
    return [to_locale(tag).replace("_", "-") for tag, weight in weighed if weight > 0 and tag != "*"]
