"""Where a customer's hosted pages are, as paths: with its slug, or its id until its owner has proven an address."""

import re

from apps.customers.state import CustomerState

PAGE = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")  # of an account: a path, and nowhere else


def name_of(customer: CustomerState) -> str:
    """Nobody chooses an id. A slug is made from a name that anybody may choose who has not proven an address yet."""
    return customer.slug if customer.owner_is_proven else str(customer.id)


def sign_in(customer: CustomerState) -> str:
    return f"/sign-in/{name_of(customer)}"


def sign_out(customer: CustomerState) -> str:
    return f"/sign-out/{name_of(customer)}"


def account(customer: CustomerState) -> str:
    return f"/account/{name_of(customer)}"


def account_page(customer: CustomerState, wanted: str) -> str:
    """The page of the account that `?next=` asks for, such as `passkeys/add`. What is no page of it leads to the account."""
    return f"{account(customer)}/{wanted}" if PAGE.fullmatch(wanted) else account(customer)
