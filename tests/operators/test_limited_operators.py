"""An operator limited to one customer finds nothing of another one: at no address, by no method, action, choice, search or export.

Every address is found from the site's URL map, every action and choice from the registered pages: a new one is tried without
being named here. The other customer's texts bear a mark, and its ids are known: none may be in an answer, but for what was sent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client

from apps.customers.models import Customer
from apps.files.models import UserFile
from apps.operators.models import RoleName
from apps.operators.team import scope
from apps.users.models import User
from tests.operators import of_everything
from tests.operators.addresses import ENDS_THE_SESSION, MODELS, actions_of, place_of, routes
from tests.operators.limiting import with_role
from tests.operators.signing_in import operator, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

SEEN, OTHER = "koala", "zebrafinch"
PARTLY = "zebr"  # what is sent to search for the mark, and is not the mark
ANSWERS = {
    "post": "yes",
    "confirmed": "yes",
    "reason": "because",
    "format": "csv",
    "hours": "1",
    "what": "sign_in_code",
}
OWNED = [model for model in MODELS if scope.path_to_customer(model)]
CLOSED = [model for model in MODELS if not scope.path_to_customer(model)]


@dataclass(frozen=True)
class Sent:
    """A request, and what of it an answer may repeat."""

    method: str
    path: str
    data: dict[str, Any]

    def by(self, browser: Client) -> HttpResponse:
        address = f"/admin/{self.path}"
        if self.method == "POST":
            return browser.post(address, self.data)
        return browser.get(address, self.data) if self.method == "GET" else browser.head(address, self.data)

    def texts(self) -> list[str]:
        values = [value for value in self.data.values() for value in (value if isinstance(value, list) else [value])]
        plain = [str(text).lower() for text in (*values, *self.path.split("/"))]
        return [*plain, *map(quote_plus, plain)]


@dataclass(frozen=True)
class Place:
    """Two customers, and all rows of the one that may not be seen."""

    seen: Customer
    other: Customer
    rows: dict[type[Model], list[Any]]

    def secrets(self) -> set[str]:
        keys = {str(row.pk) for rows in self.rows.values() for row in rows}
        return {OTHER, of_everything.IP[OTHER], *filter(lambda key: len(key) > 20, keys)}


@pytest.fixture
def place() -> Place:
    other, seen = of_everything.furnish(OTHER), of_everything.furnish(SEEN)
    rows: dict[type[Model], list[Any]] = {}
    for row in of_everything.rows_of(other):
        rows.setdefault(type(row), []).append(row)
    assert set(OWNED) <= set(rows), "something of every model that has a page"
    return Place(seen, other, rows)


@dataclass
class Visitor:
    """Sends requests, and knows what their answers may repeat: a page shows the notices of requests before it, too."""

    browser: Client
    secrets: set[str]
    sent: list[str] = field(default_factory=list)

    def leaks(self, request: Sent) -> set[str]:
        """What the answer tells of the other customer, but for what was sent."""
        answer = request.by(self.browser)
        self.sent += request.texts()
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        told = "\n".join([body.decode(), *(f"{name}: {value}" for name, value in answer.items())]).lower()
        for text in sorted(set(self.sent), key=len, reverse=True):
            told = told.replace(text, "") if len(text) > len(OTHER) else told
        if answer.status_code == 200 and b"</html>" in body:
            self.sent = []
        return {secret for secret in self.secrets if secret in told}


def pages_of(place: Place) -> Iterator[tuple[str, str]]:
    """Each route of the admin, and its paths to rows of the other customer."""
    for route in routes():
        if route.startswith(ENDS_THE_SESSION):
            continue
        model = next((model for model in MODELS if route.startswith(place_of(model))), Customer)
        yield route, filled(route, place.rows.get(model, [place.other])[0], place)


def filled(route: str, row: Model, place: Place) -> str:
    def value(found: re.Match[str]) -> str:
        of_file = found[0].endswith(":file_id>")
        return str(place.rows[UserFile][0].pk if of_file else row.pk)

    path = re.sub(r"<[^>]+>", value, route)
    return re.sub(r"[\^$\\?]|\.\*", "", re.sub(r"\(\?P<\w+>[^)]*\)", "customers", path))


def everything(place: Place) -> Iterator[Sent]:
    yield from _addresses(place)
    yield from _lists(place)
    yield from _actions(place)
    yield from _choices()
    yield from _searches(place)
    yield from _forms(place)


def _addresses(place: Place) -> Iterator[Sent]:
    for number, path in enumerate(dict.fromkeys(path for _route, path in pages_of(place))):
        yield Sent("GET", path, {"_popup": "1", "_to_field": "id"})
        yield Sent("POST", path, ANSWERS)
        if number % 8 == 0:  # the same views, and less in the answer
            yield Sent("HEAD", path, {})


def _lists(place: Place) -> Iterator[Sent]:
    """Searched and filtered by what is known of the other customer."""
    user = place.rows[User][0]
    for model in OWNED:
        yield Sent("GET", place_of(model), {"q": PARTLY})
        for item in admin.site.get_model_admin(model).list_filter:
            if isinstance(item, str) and item.endswith("customer"):
                yield Sent("GET", place_of(model), {f"{item}__id__exact": str(place.other.pk)})
    values = {"customer": place.other.slug, "address": user.email, "ip": of_everything.IP[OTHER]}
    for name, value in (*values.items(), ("customer", place.other.name), ("request_id", f"{OTHER}-request")):
        yield Sent("GET", "audit/event/", {name: value})
    yield Sent("GET", "audit/event/", {"customer_id": str(place.other.pk), "user_id": str(user.pk)})
    yield Sent("GET", "tokens/session/", {"user__id__exact": str(user.pk)})
    yield Sent("GET", "mail/message/", {"user_id": str(user.pk)})
    yield Sent("POST", "audit/event/export/?customer=" + place.other.slug, {"format": "jsonl"})


def _actions(place: Place) -> Iterator[Sent]:
    for model in MODELS:
        keys = [str(row.pk) for row in place.rows.get(model, [place.other])]
        for name in actions_of(model):
            chosen = {"action": name, "_selected_action": keys, "select_across": "1", "index": "0"}
            yield Sent("POST", place_of(model), chosen)
            yield Sent("POST", place_of(model), {**chosen, **ANSWERS})


def _choices() -> Iterator[Sent]:
    """Of every model with a page, by each field that leads to it, from either side."""
    for model in apps.get_models():
        where = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
        for leading in model._meta.get_fields():
            if getattr(leading, "remote_field", None) and leading.remote_field.model in OWNED:
                yield Sent("GET", "autocomplete/", {**where, "field_name": leading.name, "term": ""})


def _searches(place: Place) -> Iterator[Sent]:
    user, texts = place.rows[User][0], [PARTLY, f"{OTHER} ", place.other.slug, f"{OTHER}-request", f"{OTHER}@z"]
    keys = [str(row.pk) for model, rows in place.rows.items() if model in OWNED for row in rows[:1]]
    for text in (*texts, *keys):
        yield Sent("GET", "search/", {"s": text, "extended": "1"})
    for query in ({"email": user.email}, {"email": user.email, "customer": place.other.slug}, {"user": user.pk}):
        yield Sent("GET", "why-refused/", query)
    yield from (Sent("GET", "why-refused/", {"event": row.pk}) for row in _events(place))
    for called in (place.other.pk, place.other.slug, PARTLY):
        yield Sent("GET", "", {"customer": str(called), "days": "30"})


def _events(place: Place) -> list[Any]:
    return next(rows for model, rows in place.rows.items() if model._meta.label == "audit.Event")


def _forms(place: Place) -> Iterator[Sent]:
    """Additions at the other customer, and changes of what is one's own into its own."""
    theirs = {"customer": str(place.other.pk), "user": str(place.rows[User][0].pk)}
    values = {
        "name": "intruder",
        "email": "intruder@example.com",
        "kind": "failures",
        "threshold": "1",
        "is_active": "on",
        "environment": "live",
        "scopes": "auth",
        "redirect_uris": "https://x.example.com/",
        "status": "active",
        "role": "company_user",
        "fixed_code": "QWERTZ77",
        "valid_until_0": "2099-01-01",
        "valid_until_1": "00:00:00",
    }
    for model in MODELS:
        for whose in (theirs, {**theirs, "customer": ""}):
            yield Sent("POST", f"{place_of(model)}add/", {**values, **whose})
    for model in OWNED:
        own = scope.OperatorScope([place.seen.pk]).narrow(model._default_manager.all()).first()
        assert own is not None, model
        yield Sent("POST", f"{place_of(model)}{own.pk}/change/", {**values, **theirs})


def state_of(place: Place) -> dict[str, Any]:
    """All rows of the other customer, as they are, and rules that would watch it."""
    rows = {f"{row._meta.label} {row.pk}": vars(row) for row in of_everything.rows_of(place.other)}
    return {name: {key: value for key, value in row.items() if key != "_state"} for name, row in rows.items()}


def test_nothing_of_another_customer_is_told_or_changed(place: Place) -> None:
    """To an administrator, who may do most."""
    visitor = Visitor(signed_in(with_role(RoleName.ADMINISTRATOR, place.seen)), place.secrets())
    before, tried = state_of(place), list(everything(place))
    assert len(tried) > 400
    found = [f"{told} by {sent}" for sent in tried if (told := visitor.leaks(sent))]
    assert "\n".join(found) == ""
    assert state_of(place) == before
    assert apps.get_model("alerts", "AlertRule").objects.filter(customer=None).count() == 0, "none for everybody"


def test_support_is_told_nothing_by_choices_and_searches(place: Place) -> None:
    """It may choose customers whose pages it may not open."""
    visitor = Visitor(signed_in(with_role(RoleName.SUPPORT, place.seen)), place.secrets())
    tried = [*_choices(), *_searches(place), *_lists(place)]
    found = [f"{told} by {sent}" for sent in tried if (told := visitor.leaks(sent))]
    assert "\n".join(found) == ""


def test_the_same_requests_tell_an_administrator_without_limits(place: Place) -> None:
    """So that the test above can fail."""
    visitor = Visitor(signed_in(operator()), place.secrets())
    lists = {place_of(model) for model in OWNED}
    pages = [sent for sent in _addresses(place) if sent.path in lists or sent.path.endswith("/change/")]
    reads = [sent for sent in (*pages, *_lists(place), *_searches(place)) if sent.method == "GET"]
    telling = [sent for sent in reads if visitor.leaks(sent)]
    assert len(telling) > 60
    for model in OWNED:
        paths = {sent.path for sent in telling if sent.path.startswith(place_of(model))}
        assert place_of(model) in paths or model._meta.model_name == "recoverycode", model
        assert {path for path in paths if path.endswith("/change/")}, model


def test_what_is_ones_own_is_there_and_what_leads_to_no_customer_is_closed(place: Place) -> None:
    browser = signed_in(with_role(RoleName.ADMINISTRATOR, place.seen))
    check_that_ones_own_is_there(browser, place)
    check_that_what_leads_to_no_customer_is_closed(browser)


def check_that_ones_own_is_there(browser: Client, place: Place) -> None:
    for model in OWNED:
        own = scope.OperatorScope([place.seen.pk]).narrow(model._default_manager.all())
        listed = browser.get(f"/admin/{place_of(model)}")
        assert listed.status_code == 200, model
        assert listed.context["cl"].result_count == own.count(), model
        assert browser.get(f"/admin/{place_of(model)}{own.latest('pk').pk}/change/").status_code == 200, model


def check_that_what_leads_to_no_customer_is_closed(browser: Client) -> None:
    assert {model._meta.label for model in CLOSED} >= {"auth.User", "payloads.ServiceKeyPair"}
    for model in CLOSED:
        for path in ("", "add/"):
            assert browser.get(f"/admin/{place_of(model)}{path}").status_code == 403, model
    assert browser.get("/admin/audit/event/verification/").status_code == 403
    assert browser.post("/admin/audit/event/verification/").status_code == 403
    assert browser.get("/admin/customers/customer/add/").status_code == 403
