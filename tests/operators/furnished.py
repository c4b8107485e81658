"""A service in which there is something of everything that has a page in the admin, and a walk through all those pages."""

from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from apps.alerts import watching
from apps.alerts.models import AlertKind, AlertRule
from apps.approvals import decisions
from apps.audit import actions, tasks
from apps.audit.models import Severity
from apps.core import actors
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.factors.models import Passkey, Phone
from apps.figures.counting import HOUR
from apps.mail.models import MessageState
from apps.otp import fixed_codes
from apps.payloads import service_keys
from apps.users.models import User, UserStatus
from tests import factories
from tests.conftest import MakeClient
from tests.figures import happening
from tests.operators.addresses import ENDS_THE_SESSION, MODELS, path_of, place_of, routes
from tests.signin.entering import enrol_app, login, member

ADDRESS = "ada.lovelace@analytical-engines.example.com"
NO_PAGES = (ENDS_THE_SESSION, "jsi18n/", "autocomplete/", "search/", "r/")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
# Pages that the URL map does not tell apart.
MORE = {
    "overview-week": "?days=7",
    "overview-of-nobody": "?customer=nobody",
    "why-refused-answer": f"why-refused/?email={ADDRESS}",
    "users-found": "users/user/?q=ada",
    "users-none": "users/user/?q=nobody.has.this.address",
    "audit-none": "audit/event/?request_id=no-such-request",
    "not-found": "nothing/here/",
    "no-such-customer": "customers/customer/nobody/change/",
}


def furnish(client_for: MakeClient) -> User:
    """Returns a user of whom there is something of everything. The operator is there already."""
    customer = factories.customer(name="Analytical Engines", slug="analytical-engines", code_resend_after=0)
    factories.role(customer, "bookkeeper", "invoices.read", "invoices.write")
    user = member(customer, ADDRESS, role="bookkeeper", name="Ada Lovelace")
    _factors(user)
    _of_customer(customer)
    factories.session(user, user_agent=FIREFOX)
    client = client_for(customer)
    client.request_otp(ADDRESS)
    login(client, "a guess", ADDRESS)
    _who_waits()
    _operations(customer)
    return user


def _factors(user: User) -> None:
    """An app with recovery codes, a passkey and a phone."""
    now = timezone.now()
    enrol_app(user)
    facts = {"credential_id": "Y3JlZGVudGlhbA", "public_key": b"cose", "backed_up": True, "last_used_at": now}
    Passkey.objects.create(customer=user.customer, user=user, name="Phone of Ada", created_at=now, **facts)
    Phone.objects.create(user=user, hint="+44 … 67", created_at=now, confirmed_at=now)


def _of_customer(customer: Customer) -> None:
    factories.oauth_client(customer, is_confidential=True, name="Back office")
    factories.limit(customer, "codes_per_email", 8)
    context = factories.context(actors.operator("ops@example.com"))
    lifecycle.replace_allowlist(customer=customer, networks={"192.0.2.0/24": "Office"}, context=context)
    lifecycle.update_policy(customer=customer, changes={"access_lifetime": 3600}, context=context)
    until = timezone.now() + timedelta(days=7)
    fixed_codes.add(customer=customer, email="review@example.com", code="QWERTZ77", valid_until=until, context=context)


def _who_waits() -> None:
    customer = factories.customer(name="Northern Harbour", slug="northern-harbour", demands_approval=True)
    for name in ("grace", "edsger"):
        user = factories.user(customer, f"{name}@example.com", status=UserStatus.PENDING)
        decisions.open_for(user, customer=factories.state_of(customer), now=timezone.now())


def _operations(customer: Customer) -> None:
    """Mail that went and mail that did not, an alert, keys, a group, figures of some hours."""
    now = timezone.now()
    service_keys.pairs()
    Group.objects.create(name="Support")
    for minutes in (5, 70, 150):
        at = now - timedelta(minutes=minutes)
        happening.sign_in(customer.id, at)
        happening.code(customer.id, at, took=1.5, used=minutes > 60)
        happening.failure(customer.id, at, actions.CODE_GUESSING, severity=Severity.HIGH)
    happening.code(customer.id, now, took=None, state=MessageState.FAILED)
    happening.count(now, kept=4 * HOUR)
    AlertRule.objects.create(kind=AlertKind.SECURITY, threshold=1, recipients="ops@example.com")
    watching.watch(now=timezone.now())
    tasks.chain_events()


def pages(browser: Client, user: User) -> Iterator[tuple[str, str]]:
    """The name and the path of every page that this operator can look at."""
    more = {f"/admin/{path}" for path in MORE.values()}
    yield from ((name, path) for name, path in places(user) if path in more or _is_page(browser, path))


def places(user: User) -> Iterator[tuple[str, str]]:
    """The name and the path of all that may be a page: found from the site's URL map."""
    rows = {place_of(model): str(model._default_manager.latest("pk").pk) for model in MODELS}
    rows["users/user/"], rows["customers/customer/"] = str(user.pk), str(user.customer_id)
    seen = set()
    for route in routes():
        if not route.startswith(NO_PAGES) and "(?P" not in route:
            row = next((pk for place, pk in rows.items() if route.startswith(place)), "x")
            path = path_of(route, row)
            if path not in seen:
                yield route.replace("<path:object_id>/", "").strip("/").replace("/", "-") or "overview", path
            seen.add(path)
    yield from ((name, f"/admin/{path}") for name, path in MORE.items())


def _is_page(browser: Client, path: str) -> bool:
    answer = browser.get(path)
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
