"""C6: operators can sign in and work while Valkey is away, when they need the admin most."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.engines import OwnValkey
from tests.operators.addresses import ENDS_THE_SESSION, MODELS, path_of, place_of, routes
from tests.operators.enrolling import app_of, code_of
from tests.operators.pages.customer_form import save
from tests.operators.signing_in import is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def away(valkey_away: OwnValkey, settings: object) -> None:
    """Valkey is gone, and the broker with it."""
    settings.CELERY_BROKER_URL = valkey_away.url  # type: ignore[attr-defined]
    valkey_away.kill()


def test_an_operator_signs_in_with_a_second_factor(away: None) -> None:
    device = app_of(operator())
    assert not is_in(sign_in(password="wrong"))
    assert not is_in(sign_in())
    assert is_in(sign_in(code=code_of(device)))
    assert Event.objects.filter(action="operator_signed_in").count() == 1


def test_guesses_are_limited_as_ever(away: None) -> None:
    operator()
    for _ in range(10):
        sign_in(password="wrong")
    assert not is_in(sign_in())


def test_every_page_and_every_action_answers(away: None) -> None:
    operator()
    browser = sign_in()
    browser.raise_request_exception = False
    customer = factories.customer()
    user = factories.user(customer)
    session = factories.session(user)
    rows = {place_of(model): row.pk for model in MODELS if (row := model._default_manager.first())}
    rows |= {"users/user/": user.id, "tokens/session/": session.session_id, "customers/customer/": customer.id}
    faults = []
    for route in routes():
        row = next((str(found) for place, found in rows.items() if route.startswith(place)), "x")
        if route == ENDS_THE_SESSION or route.endswith("/delete/"):
            continue
        path = path_of(route, row)
        faults += [(path, method) for method in ("get", "post") if fails(browser, method, path)]
    assert faults == []


def fails(browser: Client, method: str, path: str) -> bool:
    return bool(getattr(browser, method)(path).status_code >= 500)


def test_what_must_bite_is_done_and_counts_from_postgresql(away: None) -> None:
    operator()
    browser = sign_in()
    customer = factories.customer(name="Before")
    user = factories.user(customer, wrong_codes=7)
    session = factories.session(user)
    assert browser.post(f"/admin/tokens/session/{session.session_id}/end/").status_code == 302
    assert Session.objects.get().ended_at is not None
    browser.post(f"/admin/users/user/{user.id}/deactivate/")
    assert User.objects.get().status == "deactivated"
    page = f"/admin/customers/customer/{customer.id}"
    assert save(browser, customer, name="After", sender_name="After").status_code == 302
    browser.post(f"{page}/suspend/")
    found = Customer.objects.get(id=customer.id)
    assert (found.name, found.status) == ("After", "suspended")


def test_what_cannot_be_done_without_it_is_said(away: None) -> None:
    operator()
    browser = sign_in()
    user = factories.user(factories.customer(), wrong_codes=7)
    answer = browser.post(f"/admin/users/user/{user.id}/clear-locks/", follow=True)
    assert answer.status_code == 200
    done = User.objects.get().wrong_codes == 0
    assert done or "temporarily" in answer.content.decode(), timezone.now()
