"""API keys: made here and shown once, rotated with an overlap, revoked."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from apps.api_keys import lifecycle
from apps.api_keys.models import ApiKey, Scope
from apps.core.context import RequestContext
from apps.operators.changes.declared_actions import RowAction
from apps.operators.context import context_of_operator
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_id, by_key
from apps.operators.new_secrets import example_calls, shown_once
from apps.operators.new_secrets.shown_once import ShownOnce
from apps.operators.pages.base import AuditedAdmin, NeverChanged, NeverDeleted, adopt
from apps.operators.pages.row_form import RowForm
from apps.operators.questions import Question

SAID = {"scopes": "scope_list"}  # how a page says what is kept as a list


class ApiKeyForm(RowForm[ApiKey]):
    scopes = forms.MultipleChoiceField(
        label=lazy("Scopes"),
        choices=[(scope, scope) for scope in Scope.values],
        initial=[Scope.AUTH],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ("customer", "name", "environment", "scopes", "expires_at")

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError(_("This lies in the past."))
        return expires_at


class OverlapForm(forms.Form):
    hours = forms.IntegerField(
        min_value=0,
        max_value=int(lifecycle.LONGEST_OVERLAP.total_seconds() // 3600),
        initial=24,
        label=lazy("Hours for which the old key works on"),
        widget=UnfoldAdminIntegerFieldWidget,
    )


class ApiKeyAdmin(NeverChanged, NeverDeleted, AuditedAdmin):
    """A key does not change: it is rotated or revoked."""

    form = ApiKeyForm
    flows_record = True
    list_display = ("name", "customer", "begins_with", "scope_list", "state", "last_used_at")
    list_filter = ("environment", "customer")
    list_select_related = ("customer",)
    searches = (by_key, by_id)
    search_help_text = lazy("The key's id or how it begins")
    actions_detail = ("rotate", "revoke")
    readonly_fields = ("begins_with", "created_at", "last_used_at", "revoked_at", "state")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *SAID.values()) if obj else self.readonly_fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        asked = ("customer", "name", "environment", "scopes", "expires_at")
        return (*(SAID.get(name, name) for name in asked), *self.readonly_fields) if obj else asked

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Only additions come here. The next page shows the key."""
        made, text = lifecycle.create(
            customer=row.customer,
            name=row.name,
            environment=row.environment,
            scopes=form.cleaned_data["scopes"],
            expires_at=row.expires_at,
            context=context_of_operator(request),
        )
        adopt(row, made)
        row.shown_once = text  # lives as long as this request

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return shown_once.lead_to(request, shown_new(obj, obj.shown_once))

    @display(description=lazy("Key"))
    def begins_with(self, row: ApiKey) -> str:
        return f"ghk_{row.environment}_{row.key_id}_…"

    @display(description=lazy("Scopes"))
    def scope_list(self, row: ApiKey) -> str:
        return ", ".join(row.scopes)

    @display(
        description=lazy("State"),
        label={"works": "success", "revoked": "danger", "expired": "warning", "rotated": "info"},
    )
    def state(self, row: ApiKey) -> Label:
        if row.revoked_at:
            return Label("revoked", _("revoked"))
        if row.expires_at and row.expires_at <= timezone.now():
            return Label("expired", _("expired"))
        return Label("rotated", _("rotated")) if row.replaced_by_id else Label("works", _("works"))

    @RowAction(
        label=lazy("Rotate"),
        url_path="rotate",
        permissions=["change"],
        form=OverlapForm,
        question=lambda key: Question(
            _("Rotate %s?") % key.name,
            [_("A new key with the same rights is made and shown once. The old one works on for the overlap.")],
            button=_("Rotate"),
        ),
    )
    def rotate(self, key: ApiKey, context: RequestContext, form: forms.Form) -> ShownOnce:
        overlap = timedelta(hours=form.cleaned_data["hours"])
        fresh, text = lifecycle.rotate(key, overlap=overlap, context=context)
        return _shown(_("The successor of %s") % key.name, fresh, text)

    @RowAction(
        label=lazy("Revoke"),
        takes_away=True,
        url_path="revoke",
        permissions=["change"],
        question=lambda key: Question(
            _("Revoke %s?") % key.name,
            [_("It is refused from the next request on. This cannot be undone: make a new key instead.")],
            button=_("Revoke"),
        ),
    )
    def revoke(self, key: ApiKey, context: RequestContext) -> str:
        lifecycle.revoke(key, context=context)
        return _("Revoked.")


def shown_new(key: ApiKey, text: str, *, back: str = "") -> ShownOnce:
    """A key that was just made, with a call that uses it. `back`: where to go on, if not to the key's page."""
    return _shown(_("The new key of %s") % key.customer.name, key, text, back)


def _shown(title: str, key: ApiKey, text: str, back: str = "") -> ShownOnce:
    return ShownOnce(title, text, key, example_calls.with_key(key, text), back)
