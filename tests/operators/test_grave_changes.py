"""Grave changes say what they will do, in numbers, and ask for the second factor unless it was given within ten minutes."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.audit.models import Event
from apps.core import sealed
from apps.customers.models import Customer
from apps.factors.models import Passkey
from apps.operators.sign_in import step_up
from tests import factories
from tests.operators.enrolling import app_of, code_of, wrong_code_of
from tests.operators.pages.customer_form import page_of, path_of, save, shown_form, slug_of
from tests.operators.saving import confirm
from tests.operators.signing_in import PASSWORD, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
SUSPEND = "/admin/customers/customer/{}/suspend/"


@pytest.fixture
def device() -> Any:
    return app_of(operator())


@pytest.fixture
def browser(device: Any) -> Client:
    return sign_in(code=code_of(device))


def age(browser: Client, **by: float) -> None:
    """Let the proof of this session be so old."""
    session = browser.session
    session[step_up.PROVEN] = [timezone.now().timestamp() - timedelta(**by).total_seconds(), session[step_up.PROVEN][1]]
    session.save()


def numbers_of(answer: Any) -> dict[str, tuple[int, bool]]:
    """What the question counts, and whether it says when that was last used."""
    return {str(each.label): (each.count, each.last_used_at is not None) for each in answer.context["numbers"]}


def is_asked(answer: Any) -> bool:
    return answer.status_code == 200 and answer.context["proof"] is not None


def events(action: str) -> list[str]:
    return list(Event.objects.filter(action=action).values_list("severity", flat=True))


def test_a_code_given_within_ten_minutes_is_enough(browser: Client) -> None:
    customer = factories.customer()
    age(browser, minutes=9)
    assert not is_asked(browser.get(SUSPEND.format(customer.id)))
    assert browser.post(SUSPEND.format(customer.id)).status_code == 302
    assert Customer.objects.get(id=customer.id).status == "suspended"


def test_later_a_code_is_asked_for_and_counts_for_ten_minutes(browser: Client, device: Any) -> None:
    one, other = factories.customer(), factories.customer()
    age(browser, minutes=11)
    assert is_asked(browser.get(SUSPEND.format(one.id)))
    for wrong in ({}, {"proof": wrong_code_of(device)}, {"proof": PASSWORD}, {"confirmed": "yes"}):
        assert is_asked(browser.post(SUSPEND.format(one.id), wrong))
    assert Customer.objects.get(id=one.id).status == "active"
    assert events("operator_proof_rejected") == ["medium", "medium"]
    right = {"proof": code_of(device, later=1)}
    assert browser.post(SUSPEND.format(one.id), right).status_code == 302
    assert Customer.objects.get(id=one.id).status == "suspended"
    assert events("operator_proven") == ["info"]
    assert browser.post(SUSPEND.format(other.id)).status_code == 302


def test_a_code_counts_once(browser: Client, device: Any) -> None:
    customer, again = factories.customer(), factories.customer()
    age(browser, minutes=11)
    code = code_of(device, later=1)
    assert browser.post(SUSPEND.format(customer.id), {"proof": code}).status_code == 302
    age(browser, minutes=11)
    assert is_asked(browser.post(SUSPEND.format(again.id), {"proof": code}))
    assert Customer.objects.get(id=again.id).status == "active"


def test_another_operators_code_is_worth_nothing(browser: Client) -> None:
    other, customer = operator("other@example.com"), factories.customer()
    device = app_of(other)
    age(browser, minutes=11)
    sealed.write(device, "seed", b"another seed of 20 b")
    device.save()
    assert is_asked(browser.post(SUSPEND.format(customer.id), {"proof": code_of(device)}))


def test_guessing_ends_even_with_the_right_code(browser: Client, device: Any) -> None:
    customer = factories.customer()
    age(browser, minutes=11)
    for _ in range(5):
        browser.post(SUSPEND.format(customer.id), {"proof": wrong_code_of(device)})
    assert is_asked(browser.post(SUSPEND.format(customer.id), {"proof": code_of(device, later=1)}))
    assert events("operator_guessing") == ["high"]
    assert Customer.objects.get(id=customer.id).status == "active"


@pytest.mark.parametrize("proven", [[9e12, "device"], [0, "device"], None])
def test_a_proof_of_another_time_counts_for_nothing(browser: Client, proven: object) -> None:
    session = browser.session
    session.pop(step_up.PROVEN)
    if proven:
        session[step_up.PROVEN] = proven
    session.save()
    assert is_asked(browser.get(SUSPEND.format(factories.customer().id)))


def test_a_password_counts_for_who_has_no_second_factor_alone() -> None:
    who, customer = operator(), factories.customer()
    browser = sign_in()
    assert not is_asked(browser.get(SUSPEND.format(customer.id)))
    age(browser, minutes=11)
    assert is_asked(browser.post(SUSPEND.format(customer.id), {"proof": "wrong"}))
    assert browser.post(SUSPEND.format(customer.id), {"proof": PASSWORD}).status_code == 302
    app_of(who)
    session = browser.session
    session[step_up.PROVEN] = [timezone.now().timestamp(), step_up.PASSWORD]
    session.save()
    assert browser.post(SUSPEND.format(factories.customer().id)).status_code == 302  # to the sign-in: it has no device
    assert Customer.objects.filter(status="suspended").count() == 1


def test_guesses_of_a_password_end_too() -> None:
    operator()
    browser, customer = sign_in(), factories.customer()
    age(browser, minutes=11)
    for _ in range(5):
        browser.post(SUSPEND.format(customer.id), {"proof": "wrong"})
    assert is_asked(browser.post(SUSPEND.format(customer.id), {"proof": PASSWORD}))
    assert events("operator_guessing") == ["high"]


def test_every_question_has_its_numbers(browser: Client) -> None:
    customer, other = factories.customer(name="Acme"), factories.customer()
    ada = factories.user(customer)
    factories.session(ada)
    factories.session(ada)
    factories.session(factories.user(other))
    factories.api_key(customer)
    factories.oauth_client(customer)
    page = browser.get(SUSPEND.format(customer.id))
    counted = {"Living sessions": (2, True), "API keys that work": (1, False), "OAuth clients": (1, False)}
    assert numbers_of(page) == {**counted, "Active users": (1, False)} | {
        "Active users": numbers_of(page)["Active users"]
    }
    assert numbers_of(page)["Active users"][0] == 1
    assert numbers_of(browser.get(SUSPEND.format(customer.id).replace("suspend", "emergency"))) == numbers_of(page)
    assert numbers_of(browser.get(f"/admin/users/user/{ada.id}/erase/"))["Living sessions"] == (2, True)


def test_grave_actions_stand_apart(browser: Client) -> None:
    customer = factories.customer()
    danger = browser.get(page_of(customer, "danger")).content.decode()
    overview = browser.get(page_of(customer)).content.decode()
    for name in ("suspend", "emergency", "identity-check-secret"):
        assert f"/{customer.id}/{name}/" in danger
        assert f"/{customer.id}/{name}/" not in overview
    assert f"/{customer.id}/rotate/" not in danger


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"algorithm": "ES256"}, "ES256 in the place of HS256"),
        ({"passkey_domain": "example.com", "remember_device_days": 7}, "All passkeys of before are useless"),
        ({"access_lifetime": 3600, "refresh_grace": 20}, "Access tokens live for 1\u00a0h in the place of 7\u00a0h"),
        ({"refresh_lifetime": 86400}, "live for 1\u00a0d in the place of 7\u00a0d"),
    ],
)
def test_a_grave_policy_asks_first_and_is_saved_by_yes(
    browser: Client, device: Any, changes: dict[str, object], says: str
) -> None:
    customer = factories.customer(name="Acme")
    Passkey.objects.create(
        customer=customer,
        user=factories.user(customer),
        name="k",
        credential_id="x",
        public_key=b"",
        created_at=timezone.now(),
    )
    age(browser, minutes=11)
    path, before = path_of(customer, slug_of(next(iter(changes)))), Customer.objects.values().get(id=customer.id)
    asked = save(browser, customer, **changes)
    assert is_asked(asked)
    assert says in " ".join(asked.context["explanation"])
    assert asked.context["numbers"]
    assert is_asked(confirm(browser, path, asked))
    assert is_asked(confirm(browser, path, asked, proof=wrong_code_of(device)))
    assert Customer.objects.values().get(id=customer.id) == before
    assert confirm(browser, path, asked, proof=code_of(device, later=1)).status_code == 302
    saved = Customer.objects.get(id=customer.id)
    assert {name: getattr(saved, name) for name in changes} == changes


def test_longer_lifetimes_and_other_fields_ask_nothing(browser: Client) -> None:
    customer = factories.customer(name="Acme")
    age(browser, minutes=11)
    assert save(browser, customer, access_lifetime="1 d", refresh_grace="20 s").status_code == 302
    assert save(browser, customer, code_lifetime="2 min").status_code == 302


def test_a_yes_is_for_what_was_read(browser: Client) -> None:
    """C8: neither for other values, nor made up."""
    customer = factories.customer(name="Acme")
    path = path_of(customer, "tokens")
    asked = save(browser, customer, access_lifetime="1 h")
    assert asked.context["proof"] is None, "just signed in"
    assert asked.context["is_grave"]
    for forged in ({"access_lifetime": "300"}, {"refresh_lifetime": "1 h"}, {"confirmed": "yes"}):
        assert confirm(browser, path, asked, **forged).context["is_grave"]
    saved = Customer.objects.get(id=customer.id)
    assert (saved.access_lifetime, saved.refresh_lifetime) == (25200, 604800)


def test_a_yes_to_a_form_that_is_stale_by_now_changes_nothing(browser: Client) -> None:
    customer = factories.customer(name="Acme")
    path = path_of(customer, "tokens")
    asked = save(browser, customer, access_lifetime="1 h")
    factories.policy(customer, access_lifetime=7200)
    refused = confirm(browser, path, asked)
    assert "access_lifetime" in shown_form(refused, "tokens").errors
    assert Customer.objects.get(id=customer.id).access_lifetime == 7200


def test_who_may_not_do_it_is_not_asked_for_a_proof(browser: Client) -> None:
    operator("viewer@example.com", is_superuser=False)
    assert sign_in("viewer@example.com").get(SUSPEND.format(factories.customer().id)).status_code == 403


def test_wrong_proofs_are_counted_though_the_save_is_undone(browser: Client, device: Any) -> None:
    """The form's transaction is rolled back; the count of guesses is not."""
    customer = factories.customer(name="Acme")
    age(browser, minutes=11)
    path = path_of(customer, "tokens")
    asked = save(browser, customer, access_lifetime="1 h")
    for _ in range(5):
        confirm(browser, path, asked, proof=wrong_code_of(device))
    assert is_asked(confirm(browser, path, asked, proof=code_of(device, later=1)))
    assert Customer.objects.get(id=customer.id).access_lifetime == 25200
