"""The small forms of a customer's page as a browser posts them: what each shows, and what a test changes."""

from typing import Any

from django.test import Client

from apps.customers.models import Customer
from apps.operators.pages.customers.customer_policy import FORMS


def page_of(customer: Customer, tab: str = "change") -> str:
    return f"/admin/customers/customer/{customer.pk}/{tab}/"


def path_of(customer: Customer, slug: str) -> str:
    return page_of(customer, f"policy/{slug}")


def slug_of(field: str) -> str:
    """The small form that has this field of the policy."""
    return next(slug for slug, form in FORMS.items() if field in form.fields)


def tab_of(customer: Customer, slug: str) -> str:
    return page_of(customer, FORMS[slug].tab)


def shown_form(answer: Any, slug: str) -> Any:
    return next(each.form for each in answer.context["forms"] if each.small.slug == slug)


def values_of(form: Any) -> dict[str, object]:
    """What a browser posts of a form that nobody has touched: a box that is not ticked not at all."""
    values = {name: form[name].value() for name in form.fields if not form.fields[name].disabled}
    filled = {name: "on" if value is True else value for name, value in values.items()}
    kept = {name: "" if value is None else value for name, value in filled.items() if value is not False}
    return {**kept, "_version": form.version()}


def opened(browser: Client, customer: Customer, slug: str) -> dict[str, object]:
    """A small form that was opened in a tab of the browser."""
    answer = browser.get(tab_of(customer, slug))
    assert answer.status_code == 200
    return values_of(shown_form(answer, slug))


def save(browser: Client, customer: Customer, **changes: object) -> Any:
    """Open the form that has these fields, change them, and save it. Fields that are None are not posted."""
    slugs = {slug_of(name) for name in changes}
    assert len(slugs) == 1, "one form at a time"
    slug = slugs.pop()
    form = {**opened(browser, customer, slug), **changes}
    return browser.post(path_of(customer, slug), {name: value for name, value in form.items() if value is not None})


def save_limits(browser: Client, customer: Customer, **changes: object) -> Any:
    return browser.post(path_of(customer, "limits"), {**opened(browser, customer, "limits"), **changes})


def add_network(browser: Client, customer: Customer, network: str, note: str = "", **more: str) -> Any:
    return browser.post(page_of(customer, "allowlist"), {"network": network, "note": note, **more})


def remove_network(browser: Client, customer: Customer, network: str) -> Any:
    return browser.post(page_of(customer, "allowlist"), {"remove": network})
