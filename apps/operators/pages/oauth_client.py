"""OAuth clients: registered here, their secrets shown once and rotated, disabled, deleted."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from apps.core.context import RequestContext
from apps.oauth import clients, scopes
from apps.oauth.models import RegisteredClient
from apps.oauth.redirect_addresses import validate_addresses, validate_redirect_addresses
from apps.operators.changes import consequences
from apps.operators.changes.declared_actions import RowAction
from apps.operators.context import context_of_operator
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_id, by_name
from apps.operators.new_secrets import example_calls, shown_once
from apps.operators.new_secrets.shown_once import ShownOnce
from apps.operators.pages.base import AuditedAdmin, NeverDeleted
from apps.operators.pages.row_form import RowForm
from apps.operators.questions import Question


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class OAuthClientForm(RowForm[RegisteredClient]):
    redirect_uris = LinesField(
        label=lazy("Redirect addresses"),
        validators=[validate_redirect_addresses],
        help_text=lazy(
            "One a line, compared exactly: https://…; http://localhost… at any port; an app's com.example.app:/…"
        ),
    )
    post_logout_redirect_uris = LinesField(
        label=lazy("Addresses after sign-out"),
        required=False,
        validators=[validate_addresses],
        help_text=lazy("One a line."),
    )
    scopes = forms.MultipleChoiceField(
        label=lazy("Scopes"),
        choices=[(scope, scope) for scope in scopes.ALL],
        initial=scopes.every_scope,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    confidential = forms.BooleanField(
        label=lazy("Confidential"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=lazy(
            "It runs on a server and keeps a secret. Apps in browsers and on phones are public. This never changes."
        ),
    )

    class Meta:
        model = RegisteredClient
        fields = ("customer", "name", "redirect_uris", "post_logout_redirect_uris", "scopes")


class SecretOverlapForm(forms.Form):
    hours = forms.IntegerField(
        min_value=0,
        max_value=int(clients.LONGEST_OVERLAP.total_seconds() // 3600),
        initial=24,
        label=lazy("Hours for which the old secret works on"),
        widget=UnfoldAdminIntegerFieldWidget,
    )


class OAuthClientAdmin(NeverDeleted, AuditedAdmin):
    """Deleted by an action, which ends the client's sessions first."""

    form = OAuthClientForm
    flows_record = True
    list_display = ("name", "customer", "kind", "state", "created_at")
    list_filter = ("customer",)
    list_select_related = ("customer",)
    searches = (by_name("name"), by_id)
    search_help_text = lazy("How the name begins, or a client id")
    actions_detail = ("rotate_secret", "disable", "enable", "remove")
    readonly_fields = ("id", "kind", "state", "created_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        asked = ("name", "redirect_uris", "post_logout_redirect_uris", "scopes")
        return ("customer", *asked, *self.readonly_fields) if obj else ("customer", "confidential", *asked)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("customer", *self.readonly_fields) if obj else ()

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """After an addition the next page shows the secret."""
        context = context_of_operator(request)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                clients.change(row, changes=changes, context=context)
        else:
            is_confidential = form.cleaned_data["confidential"]
            row.shown_once = clients.register(row, is_confidential=is_confidential, context=context)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        if not obj.shown_once:
            return super().response_add(request, obj, post_url_continue)
        return shown_once.lead_to(request, _shown(_("The secret of %s") % obj.name, obj, obj.shown_once))

    @display(description=lazy("Kind"))
    def kind(self, row: RegisteredClient) -> str:
        return _("confidential") if row.is_confidential else _("public")

    @display(description=lazy("State"), label={"active": "success", "disabled": "danger"})
    def state(self, row: RegisteredClient) -> Label:
        return Label("active", _("active")) if row.is_active else Label("disabled", _("disabled"))

    @RowAction(
        label=lazy("Rotate the secret"),
        url_path="rotate-secret",
        permissions=["change"],
        form=SecretOverlapForm,
        offered=lambda client: client.is_confidential,
        question=lambda client: Question(
            _("Rotate the secret of %s?") % client.name,
            [_("A new secret is made and shown once. The old one works on for the overlap.")],
            button=_("Rotate"),
        ),
    )
    def rotate_secret(self, client: RegisteredClient, context: RequestContext, form: forms.Form) -> ShownOnce:
        overlap = timedelta(hours=form.cleaned_data["hours"])
        secret = clients.rotate_secret(client, overlap=overlap, context=context)
        return _shown(_("The new secret of %s") % client.name, client, secret)

    @RowAction(
        label=lazy("Disable"),
        takes_away=True,
        url_path="disable",
        permissions=["change"],
        offered=lambda client: client.is_active,
        question=lambda client: Question(
            _("Disable %s?") % client.name,
            [_("Nobody can sign in to it any more, and all its sessions end now.")],
            button=_("Disable"),
        ),
    )
    def disable(self, client: RegisteredClient, context: RequestContext) -> str:
        clients.disable(client, context=context)
        return _("Disabled.")

    @RowAction(
        label=lazy("Enable"),
        url_path="enable",
        permissions=["change"],
        offered=lambda client: not client.is_active,
        question=lambda client: Question(
            _("Enable %s?") % client.name,
            [_("Users can sign in to it again. The sessions that have ended stay ended.")],
            button=_("Enable"),
        ),
    )
    def enable(self, client: RegisteredClient, context: RequestContext) -> str:
        clients.enable(client, context=context)
        return _("Enabled.")

    @RowAction(
        label=lazy("Delete"),
        url_path="remove",
        is_grave=True,
        permissions=["delete"],
        removes_row=True,
        question=lambda client: Question(
            _("Delete %s?") % client.name,
            [_("All its sessions end now. This cannot be undone: register a new client instead.")],
            button=_("Delete"),
            numbers=consequences.of_client(client),
        ),
    )
    def remove(self, client: RegisteredClient, context: RequestContext) -> str:
        clients.delete(client, context=context)
        return _("Deleted.")


def _shown(title: str, client: RegisteredClient, secret: str) -> ShownOnce:
    return ShownOnce(title, secret, client, example_calls.with_client(client, secret))
