"""Customers in the operators' admin: policy, allowlist, limits, suspension, rotation. Secrets show as fingerprints."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import URLField
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.customers import keyring, lifecycle, limits
from apps.customers.models import AllowedNetwork, Customer, CustomerStatus, LimitOverride, SigningSecret
from apps.customers.validation import canonical_network
from apps.mail.models import Allowance
from apps.operators.pages.base import AuditedAdmin, who

LINE_BREAK = mark_safe("<br>")
HELP_TEXTS = {
    "algorithm": (
        "Another one takes effect at once: new tokens are signed by a new version, the old verifies until the longest of "
        "its tokens has expired. With a key pair, servers verify offline by the customer's published keys."
    ),
    "access_lifetime": "Seconds; 300 (5 min) to 86400 (24 h). The default, 25200, is 7 h.",
    "refresh_lifetime": "Seconds; 3600 (1 h) to 7776000 (90 days). The default, 604800, is 7 days.",
    "refresh_grace": "Seconds for which a used refresh token gets the same successor again; 0 switches it off.",
    "reauthenticate_after": "Seconds; 60 (1 min) to 86400 (24 h). Who signed in longer ago must prove once more who "
    "they are before they change factors, password or address, or erase the account. The default, 600, is 10 minutes.",
    "code_lifetime": "Seconds; the default, 600, is 10 minutes.",
    "code_resend_after": "Seconds before a further code may be asked for.",
    "code_length": "4 to 10 characters.",
    "creates_users_on_sign_in": "Off: only users who exist already can sign in by code.",
    "allows_registration": "Off: nobody can register; users are made by operators, invited, or sign in by code.",
    "demands_verified_email": "A user who registered is pending until the code in the mail was entered.",
    "demands_approval": "A user is pending until an operator, or the identity check below, has approved it.",
    "identity_check_url": "Where an outside identity check is asked for. Empty: operators approve.",
    "second_factor": "Required: who has none is led to enrol one. Both: an SMS code and a passkey.",
    "passkey_domain": "The domain that passkeys are bound to (WebAuthn's RP ID). Changing it makes all passkeys useless. "
    "Empty: the site's domain, else the host of PUBLIC_URL.",
    "sessions_per_user": "1 to 1000. With one more sign-in the session least lately used ends.",
    "account_url": "Where links in mails lead: your own pages for reset, undo and the like. Empty: our pages.",
    "daily_sms_quota": "In segments, which is what carriers charge for.",
    "monthly_sms_quota": "In segments.",
    "sms_sender": "A number (+49…), a short code, or up to 11 letters and digits, as the provider allows.",
    "logo_url": "An https address of a picture: mail programs load no other.",
    "default_locale": "en or de. For users who have said nothing else.",
    "sms_regions": 'Countries to which SMS are sent, as JSON: ["DE", "AT"]. Empty: everywhere.',
    "enforce_allowlist_on_tokens": "Check the allowlist on requests made with tokens too, not only with API keys.",
    "allowed_origins": 'As JSON: ["https://app.example.com"]. For CORS alone, all subdomains: "https://*.preview.example.com". '
    'A native app: "capacitor://localhost"; an Android app\'s passkeys: "android:apk-key-hash:…".',
    "site_domain": 'Binds the code in the mail to a site: "@example.com #123456". Empty: the host of PUBLIC_URL.',
    "colour": "#rrggbb, for mails.",
    "slug": "Part of the issuer of every token: cannot be changed later.",
}


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:  # the model and the fields are the admin's choice
        help_texts = HELP_TEXTS
        widgets = {name: UnfoldAdminTextareaWidget(attrs={"rows": 3}) for name in ("allowed_origins", "sms_regions")}

    def clean_allowed_origins(self) -> list[str]:
        """A field left empty is an empty list."""
        return self.cleaned_data["allowed_origins"] or []

    def clean_sms_regions(self) -> list[str]:
        return self.cleaned_data["sms_regions"] or []


class NetworkForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_network(self) -> str:
        """In its one form: so the page sees that two rows are the same network, and says so."""
        return canonical_network(self.cleaned_data["network"])


class NetworkInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    model = AllowedNetwork
    form = NetworkForm
    fields = ("network", "note")
    extra = 0
    verbose_name_plural = "IP allowlist (none: everybody)"


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance._state.adding:
            self.fields["name"].disabled = True  # one limit does not become another: it is deleted, and the other added


class LimitInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    model = LimitOverride
    form = LimitForm
    fields = ("name", "count", "window")
    extra = 0
    verbose_name_plural = "Limits of its own (count in a window of seconds)"


@admin.register(Customer)
class CustomerAdmin(AuditedAdmin):
    form = CustomerForm
    history_by = "customer_id"
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    records_itself = True
    list_display = ("name", "slug", "state", "codes_today", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    readonly_fields = ("id", "status", "created_at", "secrets", "default_limits")
    inlines = (NetworkInline, LimitInline)
    actions_detail: tuple[str, ...] = ("suspend", "reactivate", "rotate_gracefully")
    fieldsets = (
        (None, {"fields": ("name", "slug", "id", "status", "created_at")}),
        ("Secrets", {"fields": ("secrets", "algorithm")}),
        (
            "Tokens and sessions",
            {
                "fields": (
                    "access_lifetime",
                    "refresh_lifetime",
                    "refresh_grace",
                    "reauthenticate_after",
                    "sessions_per_user",
                )
            },
        ),
        (
            "Codes",
            {
                "fields": (
                    "code_length",
                    "code_alphabet",
                    "code_lifetime",
                    "code_resend_after",
                    "creates_users_on_sign_in",
                )
            },
        ),
        (
            "Accounts",
            {
                "fields": (
                    "allows_registration",
                    "demands_verified_email",
                    "demands_approval",
                    "identity_check_url",
                    "account_url",
                )
            },
        ),
        ("Second factors", {"fields": ("second_factor", "passkey_domain")}),
        ("SMS", {"fields": ("sms_sender", "sms_regions", "daily_sms_quota", "monthly_sms_quota")}),
        ("Quotas", {"fields": ("daily_code_quota", "monthly_code_quota", "default_limits")}),
        ("Where from", {"fields": ("enforce_allowlist_on_tokens", "allowed_origins")}),
        (
            "Mail",
            {"fields": ("sender_name", "reply_to", "logo_url", "colour", "site_domain", "default_locale")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a customer is suspended, and its events and users stay."""
        return False

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                lifecycle.update_policy(customer=row, changes=changes, **who(request))
        else:
            lifecycle.register(row, **who(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001
        """Through the flows, which record what they do and tell every process."""
        formset.save(commit=False)  # only sorts the rows into new, changed and deleted ones
        if not formset.has_changed():
            return
        if formset.model is AllowedNetwork:
            lifecycle.replace_allowlist(customer=form.instance, networks=_networks_left(formset), **who(request))
        else:
            _save_limits(formset, form.instance, who(request))

    @display(description=_("State"), label={"active": "success", "suspended": "danger"})
    def state(self, row: Customer) -> str:
        return row.status

    @display(description=_("Codes today"))
    def codes_today(self, row: Customer) -> str:
        used = Allowance.objects.of(row.id).filter(day=timezone.now().date()).first()
        return f"{used.sent_today if used else 0} of {row.daily_code_quota}"

    @display(description=_("Versions"))
    def secrets(self, row: Customer) -> str:
        if row._state.adding:
            return _("Made with the customer.")
        lines = [
            (secret.fingerprint, secret.algorithm, timesince(secret.created_at), _state_of(secret))
            for secret in row.signing_secrets.all()
        ]
        return format_html_join(LINE_BREAK, "<code>{}…</code>, {}, {} old, {}", lines)

    @display(description=_("Limits by default"))
    def default_limits(self, _row: Customer) -> str:
        lines = [
            (limit.name, limit.count, f"{limit.window} s" if limit.window else "a row, ever")
            for limit in limits.DEFAULTS.values()
        ]
        return format_html_join(LINE_BREAK, "{}: {} in {}", lines)

    @action(description=_("Suspend"), url_path="suspend", permissions=["change"])
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            lifecycle.suspend(row, **who(request))
            return _("Suspended.")

        return self.ask_first(
            request,
            row,
            title=_("Suspend %s?") % row.name,
            explanation=[
                _("Every request with its keys or tokens is refused from now on. Nobody can sign in."),
                _("Nothing is deleted; it can be reactivated at any time."),
            ],
            button=_("Suspend"),
            act=act,
        )

    @action(description=_("Reactivate"), url_path="reactivate", permissions=["change"])
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            lifecycle.reactivate(row, **who(request))
            return _("Active again.")

        return self.ask_first(
            request,
            row,
            title=_("Reactivate %s?") % row.name,
            explanation=[_("Its keys and tokens work again from now on.")],
            button=_("Reactivate"),
            act=act,
        )

    @action(description=_("Rotate secrets"), url_path="rotate", permissions=["change"])
    def rotate_gracefully(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()
        last = keyring.last_expiry(row, now=timezone.now())

        def act(_form: forms.Form) -> str:
            keyring.rotate_gracefully(row, **who(request))
            return _("New tokens are signed with a new secret.")

        return self.ask_first(
            request,
            row,
            title=_("Rotate the secrets of %s?") % row.name,
            explanation=[
                _("New tokens are signed with a new secret. Nobody is signed out."),
                _("The old secret verifies until %s, when the last token it signed has expired.")
                % f"{last:%Y-%m-%d %H:%M} UTC",
            ],
            button=_("Rotate"),
            act=act,
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any = None) -> list[Any]:
        """Offer what makes sense: suspend the active, reactivate the suspended."""
        row = self.get_object(request, str(object_id)) if object_id else None
        useless = "reactivate" if row is None or row.status == CustomerStatus.ACTIVE else "suspend"
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return [item for item in offered if not item.action_name.endswith(useless)]


def _written(formset: Any) -> list[Any]:
    return [*formset.new_objects, *(row for row, _fields in formset.changed_objects)]


def _networks_left(formset: Any) -> dict[str, str]:
    """The allowlist as the page leaves it; what somebody else has added meanwhile stays."""
    written = _written(formset)
    touched = {row.id for row in (*written, *formset.deleted_objects)}
    kept = formset.instance.allowed_networks.exclude(id__in=touched)
    return {row.network: row.note for row in (*kept, *written)}


def _save_limits(formset: Any, customer: Customer, acting: dict[str, Any]) -> None:
    for row in formset.deleted_objects:
        lifecycle.restore_limit(customer=customer, name=row.name, **acting)
    for row in _written(formset):
        lifecycle.override_limit(customer=customer, name=row.name, count=row.count, window=row.window, **acting)


def _state_of(secret: SigningSecret) -> str:
    if secret.retires_at is None:
        return _("current")
    if secret.retires_at > timezone.now():
        return _("verifies until %s") % f"{secret.retires_at:%Y-%m-%d %H:%M} UTC"
    return _("retired")
