"""Where links in mails lead: the customer's own pages, or ours. Built from settings alone, never from a request's Host."""

from urllib.parse import quote

from django.conf import settings

from apps.customers.state import CustomerState

RESET_PASSWORD, FORGOT_PASSWORD, UNDO_EMAIL_CHANGE = "reset-password", "forgot-password", "undo-email-change"
OWN_PAGES = "/account"


def to(customer: CustomerState, page: str, *, token: str = "") -> str:
    """The address of a page. A token goes behind the `#`, which no server, log or Referer header sees.

    Until its owner has proven an address, not even the customer's slug is in it: it is made from a name that anybody may choose.
    """
    if customer.owner_is_proven:
        base = customer.account_url.rstrip("/") or f"{settings.PUBLIC_URL}{OWN_PAGES}/{customer.slug}"
    else:
        base = f"{settings.PUBLIC_URL}{OWN_PAGES}/{customer.id}"
    return f"{base}/{page}" + (f"#token={quote(token, safe='')}" if token else "")
