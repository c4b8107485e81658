"""What an operator looks for in a seeded database: values that have many rows, few rows, and none."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import uuid4

from django.db.models import Count
from django.utils import timezone

from apps.api_keys.models import ApiKey
from apps.audit.actions import REFUSED
from apps.audit.models import Event
from apps.customers.models import Customer
from apps.mail.models import Message
from apps.tokens.models import Session
from apps.users.models import User

NOTHING = "zzzzqqqq"


class Samples:
    """Read once, before anything is measured."""

    @cached_property
    def customer(self) -> Customer:
        """With the most users of some thousand: few customers have many."""
        busiest = User.objects.filter(id__in=User.objects.order_by("id")[:5000].values("id"))
        found = busiest.values("customer_id").annotate(number=Count("id")).order_by("-number").first()
        return Customer.objects.get(id=found["customer_id"] if found else None)

    @cached_property
    def user(self) -> User:
        return Session.objects.select_related("user").order_by("-id")[0].user

    @cached_property
    def refusal(self) -> Event:
        return Event.objects.filter(action=REFUSED).order_by("-at")[0]

    @cached_property
    def refused(self) -> str:
        return str(User.objects.get(id=self.refusal.user_id).email)

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        request = Event.objects.order_by("-at", "-id").exclude(request_id="").values_list("request_id", flat=True)[0]
        newest = {"a session's id": Session, "a mail's id": Message}
        found = {
            what: str(model._default_manager.order_by("-id").values_list("id")[0][0]) for what, model in newest.items()
        }
        return {**found, "a key's id": ApiKey.objects.order_by("-id")[0].key_id, "a request's id": request}

    def sought(self) -> Mapping[str, str]:
        """What is typed into a search, by what it is."""
        return {
            "an address": self.user.email,
            "how many addresses begin": "seeded.",
            "how few addresses begin": self.user.email.partition("@")[0],
            "a customer's name": self.customer.name,
            "how names begin": "Northern",
            "a short name": self.customer.slug,
            "a user's id": str(self.user.id),
            "how an id begins": str(self.user.id)[:13],
            **self._ids,
            "an unknown id": str(uuid4()),
            "nothing": NOTHING,
        }

    def begun(self) -> Mapping[str, str]:
        """What is typed to find a choice."""
        beginnings = ("how many addresses begin", "how few addresses begin", "how names begin", "nothing")
        return {what: self.sought()[what] for what in beginnings}

    def of_filter(self, name: str) -> list[Any]:
        """Values of a filter that is filled in. Raises KeyError for one that has none here yet."""
        return self._known[name]

    @cached_property
    def _known(self) -> Mapping[str, list[Any]]:
        today = timezone.now().date()
        customers = [self.customer.id, uuid4()]
        return {
            "customer__id__exact": customers,
            "user__customer__id__exact": customers,
            "since": [str(today), "2020-01-01"],
            "until": [str(today), "2020-01-01"],
            "action": ["sign_in", "refused", "user_erased"],
            "customer": [self.customer.slug, NOTHING],
            "address": [self.refused, "nobody@example.com"],
            "ip": ["198.18.7.7", "198.18.7.0/24", "192.0.2.1"],
            "request_id": [self.refusal.request_id, NOTHING],
            "who": ["operator7@example.com", "nobody"],
            "outcome": ["success", "failure", "denied"],
            "severity": ["info", "medium", "critical"],
        }
