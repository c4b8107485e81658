"""Where links in mails lead: the customer's own pages, or ours. Built from settings alone, never from a request's Host."""

from urllib.parse import quote

from django.conf import settings

from apps.customers.standing import CustomerStanding

RESET_PASSWORD, FORGOT_PASSWORD, UNDO_EMAIL_CHANGE = "reset-password", "forgot-password", "undo-email-change"
OWN_PAGES = "/account"


def to(customer: CustomerStanding, page: str, *, token: str = "") -> str:
    """The address of a page. A token goes behind the `#`, which no server, log or Referer header sees."""
    base = customer.account_url.rstrip("/") or f"{settings.PUBLIC_URL}{OWN_PAGES}/{customer.slug}"
    return f"{base}/{page}" + (f"#token={quote(token, safe='')}" if token else "")
