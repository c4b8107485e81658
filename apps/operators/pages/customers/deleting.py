"""Deleting a customer: asked about with its numbers and by its name, and then a page that says how far it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from apps.accounts import customer_deletion
from apps.api_keys.models import ApiKey
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.ids import parse_id
from apps.customers.models import Customer, CustomerDeletion, CustomerStatus
from apps.files.models import UserFile
from apps.mail.models import Message
from apps.oauth.models import RegisteredClient
from apps.operators.changes import consequences
from apps.operators.changes.declared_actions import RowAction
from apps.operators.pages.base import AuditedAdmin
from apps.operators.questions import Affected, Question
from apps.tokens.models import Session
from apps.users.models import User

PAGE = "admin:customers_customer_deletion"
# What operators know by name; everything else is one line.
TITLES: dict[str, str | Promise] = {
    "users.User": lazy("Users"),
    "tokens.Session": lazy("Sessions"),
    "api_keys.ApiKey": lazy("API keys"),
    "oauth.RegisteredClient": lazy("OAuth clients"),
    "files.UserFile": lazy("Files"),
    "files.StoredObject": lazy("Contents of files in the storage"),
    "mail.Message": lazy("Mails and SMS"),
}
WAITING: dict[str, str | Promise] = {
    customer_deletion.STORAGE: lazy("The storage of files does not answer. It goes on by itself when it does."),
    customer_deletion.VALKEY: lazy("Valkey does not answer. It goes on by itself when it does."),
}


@dataclass(frozen=True)
class Part:
    """Rows of one kind: how many are gone, of how many."""

    title: str | Promise
    gone: int
    total: int


class DeletesCustomers(AuditedAdmin):
    """A part of the customers' page."""

    @RowAction(
        label=lazy("Delete"),
        url_path="delete-everything",
        is_grave=True,
        permissions=["delete"],
        offered=lambda customer: customer_deletion.possible_from(customer) is not None,
        typed=lambda customer: customer.name,
        leads_to=lambda _page, request: _address_of_deletion(request),
        question=lambda customer: Question(
            _("Delete %s with everything of it?") % customer.name,
            list(_explanation(customer)),
            button=_("Delete everything"),
            numbers=_numbers(customer),
        ),
    )
    def delete_everything(self, customer: Customer, context: RequestContext) -> str:
        customer_deletion.start(customer, context=context)
        return _("It is being deleted.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.deletion)
        return [path("<uuid:customer_id>/deletion/", view, name="customers_customer_deletion"), *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Nothing is done to a customer that is being deleted."""
        customer = super().get_object(request, object_id, from_field)
        return None if customer is not None and customer.status == CustomerStatus.DELETING else customer

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        """Links to a customer that was deleted, or is being deleted, lead to what is known of that."""
        customer_id = parse_id(object_id)
        deletion = CustomerDeletion.objects.filter(id=customer_id).first() if customer_id else None
        if deletion is not None and self._may_follow(request, deletion):
            return HttpResponseRedirect(reverse(PAGE, args=[customer_id]))
        answer: HttpResponse = super().change_view(request, object_id, *args, **options)
        return answer

    def deletion(self, request: HttpRequest, customer_id: UUID) -> HttpResponse:
        """How far it is. Raises PermissionDenied."""
        deletion = CustomerDeletion.objects.filter(id=customer_id).first()
        if deletion is None:
            raise Http404
        if not self._may_follow(request, deletion):
            raise PermissionDenied
        facts = {
            **self.admin_site.each_context(request),
            "title": deletion.name,
            "has_own_heading": True,
            "opts": self.opts,
            "deletion": deletion,
            "asked_by": actors.parts(deletion.asked_by)[1] or deletion.asked_by,
            "parts": parts_of(deletion),
            "waits": WAITING.get(deletion.waits_for, ""),
            "may_see_events": request.user.has_perm("audit.view_event"),
        }
        response = TemplateResponse(request, "operators/customer/deletion.html", facts)
        response["Cache-Control"] = "no-store"
        return response

    def _may_follow(self, request: HttpRequest, deletion: CustomerDeletion) -> bool:
        """Who sees the customer; and when its row is gone, who has asked for it, and administrators of all."""
        if not self.has_view_permission(request):
            return False
        asked = deletion.asked_by == actors.operator(request.user.get_username())
        return asked or request.user.is_superuser or self.get_queryset(request).filter(pk=deletion.pk).exists()


def parts_of(deletion: CustomerDeletion) -> list[Part]:
    """The whole first, then what operators know by name, then the rest."""
    numbers = {label: (int(gone), int(total)) for label, (gone, total) in deletion.progress.items()}
    known = [Part(title, *numbers[label]) for label, title in TITLES.items() if label in numbers]
    rest = [pair for label, pair in numbers.items() if label not in TITLES]
    whole = _sum(lazy("Everything"), list(numbers.values()))
    return [whole, *known, *([_sum(lazy("Everything else"), rest)] if rest else [])]


def _sum(title: str | Promise, pairs: list[tuple[int, int]]) -> Part:
    return Part(title, sum(gone for gone, _total in pairs), sum(total for _gone, total in pairs))


def _explanation(customer: Customer) -> Iterator[str]:
    possible = customer_deletion.possible_from(customer)
    if possible:
        yield _("Suspended since %(since)s. It can be deleted from %(from)s on.") % {
            "since": _moment(customer.suspended_at),
            "from": _moment(possible),
        }
    yield _("Users, sessions, keys, secrets, files, mails and settings are deleted for good. This cannot be undone.")
    yield _("The audit trail stays, and can be verified. The short name %s is never given to another customer.") % (
        customer.slug
    )


def _address_of_deletion(request: HttpRequest) -> str:
    """Of the customer that this request deletes."""
    return request.path.replace("/delete-everything/", "/deletion/")


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _numbers(customer: Customer) -> list[Affected]:
    rows: list[tuple[str, QuerySet[Any], str]] = [
        (_("Users"), User.objects.of(customer.id), "last_sign_in_at"),
        (_("Sessions"), Session.objects.of(customer.id), "last_activity_at"),
        (_("API keys"), ApiKey.objects.of(customer.id), "last_used_at"),
        (_("OAuth clients"), RegisteredClient.objects.of(customer.id), "created_at"),
        (_("Files"), UserFile.objects.of(customer.id), "uploaded_at"),
        (_("Mails and SMS"), Message.objects.of(customer.id), "created_at"),
    ]
    return [consequences.affected(label, found, used) for label, found, used in rows]
