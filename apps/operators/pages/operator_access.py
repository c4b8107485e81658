"""How operators get in: invited by mail, and helped when a password is forgotten or a second factor is lost.

Nobody types another's password.
"""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django_otp import devices_for_user, user_has_device
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from apps.audit import actions, events
from apps.audit.models import Severity
from apps.core import actors
from apps.core.context import RequestContext
from apps.customers import operator_mails
from apps.operators.changes.declared_actions import RowAction
from apps.operators.context import context_of_operator
from apps.operators.errors import NoAddress, NotOneself
from apps.operators.models import LinkPurpose
from apps.operators.pages.base import AuditedAdmin
from apps.operators.pages.operator_role import ROLE_FIELDS, THEIR_ROLE, RoleFields
from apps.operators.questions import Question
from apps.operators.sign_in import links, notices, own_sessions
from apps.operators.sign_in.links import Recipient
from apps.operators.team import usernames

# Nobody can be given this permission: superusers alone have every one.
SUPERUSERS = ("auth.administer_operators",)
LONGEST_REASON = 200  # characters


class InvitationForm(RoleFields, forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """Who is invited, and as what. The address becomes the name."""

    email = forms.EmailField(
        label=lazy("Email"),
        max_length=150,
        widget=UnfoldAdminEmailInputWidget(),
        help_text=lazy("An invitation goes to this address. It is also the name to sign in with."),
    )

    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        """Two operators' names never differ by case alone."""
        email: str = self.cleaned_data["email"]
        if usernames.find_by_address(email) is not None:
            raise forms.ValidationError(_("There is an operator of this address already."))
        return email


class ReasonForm(forms.Form):
    why = forms.CharField(
        label=lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget(),
        help_text=lazy(
            "How do you know that it is the operator who asks? The operator reads this, and it is recorded."
        ),
    )


class OperatorAccess(AuditedAdmin):
    """Stands before Django's own page of users, and takes the passwords out of it."""

    add_form = InvitationForm
    add_form_template = "admin/change_form.html"  # Django's own promises another form after this one
    add_fieldsets = ((None, {"fields": ("email",)}), (THEIR_ROLE, {"fields": ROLE_FIELDS}))
    actions_detail = ("invite_again", "withdraw_invitation", "send_password_link", "reset_factors")

    def get_urls(self) -> list[Any]:
        return [each for each in super().get_urls() if each.name != "auth_user_password_change"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        return [
            (title, {**facts, "fields": [name for name in facts["fields"] if name != "password"]})
            for title, facts in shown
        ]

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            super().save_model(request, row, form, change)
            return
        row.username, row.is_staff = row.email, True
        row.set_unusable_password()
        super().save_model(request, row, form, change)
        _invite(row, context_of_operator(request))

    @RowAction(
        label=lazy("Send the invitation again"),
        url_path="invite-again",
        permissions=SUPERUSERS,
        offered=lambda operator: operator.is_active and not operator.has_usable_password(),
        question=lambda operator: Question(
            _("Send the invitation to %s again?") % operator_mails.address_of(operator),
            [_("The link of the earlier mail is of no use from then on.")],
            button=_("Send it"),
        ),
    )
    def invite_again(self, operator: User, context: RequestContext) -> str:
        _invite(operator, context)
        return _("The invitation is on its way.")

    @RowAction(
        label=lazy("Withdraw the invitation"),
        takes_away=True,
        url_path="withdraw-invitation",
        permissions=SUPERUSERS,
        offered=lambda operator: links.is_open(operator, LinkPurpose.INVITATION),
        question=lambda operator: Question(
            _("Withdraw the invitation of %s?") % operator_mails.address_of(operator),
            [
                _(
                    "The link of the mail is of no use from then on. The operator stays in the list, and can be invited again."
                )
            ],
            button=_("Withdraw it"),
        ),
    )
    def withdraw_invitation(self, operator: User, context: RequestContext) -> str:
        with transaction.atomic():
            links.withdraw(operator, LinkPurpose.INVITATION)
            _record(actions.OPERATOR_INVITATION_WITHDRAWN, operator, context)
        return _("The invitation is withdrawn.")

    @RowAction(
        label=lazy("Send a link for a new password"),
        url_path="send-password-link",
        permissions=SUPERUSERS,
        offered=lambda operator: operator.is_active and operator.has_usable_password(),
        question=lambda operator: Question(
            _("Send %s a link for a new password?") % operator_mails.address_of(operator),
            [_("The password stays as it is until the link is used, within an hour.")],
            button=_("Send it"),
        ),
    )
    def send_password_link(self, operator: User, context: RequestContext) -> str:
        _require_address(operator)
        with transaction.atomic():
            links.send(Recipient(operator), LinkPurpose.FORGOTTEN, context)
            _record(actions.OPERATOR_LINK_SENT, operator, context)
        return _("The link is on its way.")

    @RowAction(
        label=lazy("Reset the second factor"),
        url_path="reset-factors",
        permissions=SUPERUSERS,
        is_grave=True,
        form=ReasonForm,
        offered=user_has_device,
        question=lambda operator: Question(
            _("Reset the second factor of %s?") % operator.get_username(),
            [
                _(
                    "App, passkeys and recovery codes are removed, and every session ends. The operator is told by mail."
                ),
                _("Be sure that it is the operator who asks: this is how a second factor is got around."),
            ],
            button=_("Reset the second factor"),
        ),
    )
    def reset_factors(self, operator: User, context: RequestContext, form: ReasonForm) -> str:
        """Raises NotOneself."""
        if context.actor == actors.operator(operator.get_username()):
            raise NotOneself
        _take_factors_away(operator, context, why=form.cleaned_data["why"])
        return _(
            "The second factor is reset. The operator sets another one up at the next sign-in, and is told by mail."
        )


@transaction.atomic
def _take_factors_away(operator: User, context: RequestContext, *, why: str) -> None:
    for device in devices_for_user(operator, confirmed=None):
        device.delete()
    own_sessions.end_all_of(operator)
    links.withdraw(operator)
    _record(actions.OPERATOR_FACTORS_RESET, operator, context, severity=Severity.HIGH, why=why)
    _by, name = actors.parts(context.actor)
    notices.post(operator, notices.FACTORS_RESET, context, who=name, why=why)


@transaction.atomic
def _invite(operator: User, context: RequestContext) -> None:
    """Raises NoAddress."""
    _require_address(operator)
    _by, name = actors.parts(context.actor)
    links.send(Recipient(operator), LinkPurpose.INVITATION, context, who=name)
    _record(actions.OPERATOR_INVITED, operator, context)


def _require_address(operator: User) -> None:
    if not operator_mails.address_of(operator):
        raise NoAddress


def _record(
    action: str, operator: User, context: RequestContext, *, severity: Severity = Severity.LOW, **details: str
) -> None:
    facts = {"row": str(operator.pk), "name": operator.get_username(), **details}
    events.record(action=action, severity=severity, details=facts, context=context)
