"""What an operator does to one user, from the user's page: each asks first, acts by POST, and is an event with its actor."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.accounts import deactivation, erasure
from apps.accounts.support import address, locks, mail
from apps.accounts.support.address import AddressChange
from apps.accounts.support.mail import Sendable
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.operators.changes import consequences
from apps.operators.changes.declared_actions import OffersActions, RowAction
from apps.operators.questions import Question
from apps.operators.words import sessions_end, sessions_ended
from apps.tokens import sessions
from apps.tokens.models import EndReason
from apps.users import emails, lifecycle
from apps.users.emails import Address
from apps.users.models import User, UserStatus


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=address.LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=lazy(
            "Why, and how you know that it is the user who asks. Without addresses: the audit trail keeps it."
        ),
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if "@" in reason:
            raise forms.ValidationError(_("No addresses here: the audit trail keeps the reason for ever."))
        return reason


class AddressForm(ReasonForm):
    email = forms.CharField(
        label=lazy("New address"),
        max_length=emails.LONGEST,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    old_is_lost = forms.BooleanField(
        label=lazy("The old mailbox is lost, or in the wrong hands"),
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text=lazy("Then the mail to it has no link to undo the change, and earlier ones to it are void."),
    )
    field_order = ("email", "reason", "old_is_lost")

    def clean_email(self) -> Address:
        try:
            return emails.parse(self.cleaned_data["email"])
        except ValidationFailed:
            raise forms.ValidationError(_("Enter an email address.")) from None


class SendForm(forms.Form):
    what = forms.ChoiceField(
        label=lazy("What"),
        choices=[
            (Sendable.SIGN_IN_CODE.value, lazy("A code to sign in")),
            (Sendable.ADDRESS_CODE.value, lazy("A code to prove the address")),
            (Sendable.RESET_LINK.value, lazy("A link to set a password")),
        ],
        initial=Sendable.SIGN_IN_CODE.value,
        widget=UnfoldAdminSelectWidget(),
    )


class UserActions(OffersActions):
    """The actions of the page, in the order in which they are offered."""

    actions_detail = (
        "send",
        "end_sessions",
        "clear_locks",
        "prove_address",
        "change_address",
        "deactivate",
        "reactivate",
        "erase",
    )

    @RowAction(
        label=lazy("Send a code"),
        url_path="send",
        permissions=["help"],
        form=SendForm,
        offered=lambda user: user.status != UserStatus.DEACTIVATED,
        question=lambda user: Question(
            _("Send a mail to %s?") % user.email,
            [
                _("It goes to the user's own mailbox; you do not see what it holds."),
                _("Waits, limits and the quota count as if the user had asked."),
            ],
            button=_("Send"),
        ),
    )
    def send(self, user: User, context: RequestContext, form: forms.Form) -> str:
        mail.send(user, Sendable(form.cleaned_data["what"]), context=context)
        return _("It is on its way.")

    @RowAction(
        label=lazy("End all sessions"),
        takes_away=True,
        url_path="end-sessions",
        permissions=["tokens.change_session"],
        question=lambda user: Question(
            _("End all sessions of %s?") % user.email,
            [
                sessions_end(_living(user)),
                _("Each device is signed out with its next request."),
                _("The user can sign in again. To keep somebody out, deactivate the account."),
            ],
            button=_("End all sessions"),
        ),
    )
    def end_sessions(self, user: User, context: RequestContext) -> str:
        ended = sessions.end_all(
            customer_id=user.customer_id, user_id=user.id, reason=EndReason.OPERATOR, context=context
        )
        return sessions_ended(ended)

    @RowAction(
        label=lazy("Clear locks"),
        url_path="clear-locks",
        permissions=["help"],
        question=lambda user: Question(
            _("Open %s to tries again?") % user.email,
            [
                _("%d wrong codes in a row were given for this account. The count starts anew.")
                % (user.wrong_codes + user.wrong_second_factors),
                _("A locked password opens again, and so do the limits on this address."),
                _("What a network has used up, and limits of the whole customer, free by themselves."),
            ],
            button=_("Clear locks"),
        ),
    )
    def clear_locks(self, user: User, context: RequestContext) -> str:
        locks.clear(user, context=context)
        return _("The account is open to tries again.")

    @RowAction(
        label=lazy("Prove the address"),
        url_path="prove-address",
        permissions=["change"],
        form=ReasonForm,
        offered=lambda user: user.email_verified_at is None,
        question=lambda user: Question(
            _("Mark %s as proven?") % user.email,
            [
                _("From now on it counts that the user reads this mailbox, though no code has shown it."),
                _("Password, factors and sessions set before go: a stranger may have registered the address."),
            ],
            button=_("Mark as proven"),
        ),
    )
    def prove_address(self, user: User, context: RequestContext, form: forms.Form) -> str:
        address.prove(user, reason=form.cleaned_data["reason"], context=context)
        return _("The address is proven.")

    @RowAction(
        label=lazy("Change the address"),
        url_path="change-address",
        permissions=["change"],
        is_grave=True,
        form=AddressForm,
        question=lambda user: Question(
            _("Give %s another address?") % user.email,
            [
                _("Whoever reads the new mailbox can sign in. Be sure that it is the user who asks."),
                _("The old address is told, and can undo it for 7 days. Codes and links on their way are void."),
                _("The new address counts as proven. An account that only registered it, unproven, is erased."),
            ],
            button=_("Change the address"),
        ),
    )
    def change_address(self, user: User, context: RequestContext, form: forms.Form) -> str:
        given = form.cleaned_data
        address.change(AddressChange(user, given["email"], given["reason"], given["old_is_lost"], context))
        return _("The address is changed. The old one is told by mail.")

    @RowAction(
        label=lazy("Deactivate"),
        takes_away=True,
        url_path="deactivate",
        permissions=["change"],
        offered=lambda user: user.status != UserStatus.DEACTIVATED,
        question=lambda user: Question(
            _("Deactivate %s?") % user.email,
            [
                _("The user is signed out everywhere, and cannot sign in."),
                sessions_end(_living(user)),
                _("Nothing is deleted; the account can be reactivated at any time."),
            ],
            button=_("Deactivate"),
        ),
    )
    def deactivate(self, user: User, context: RequestContext) -> str:
        deactivation.deactivate(user, context=context)
        return _("Deactivated.")

    @RowAction(
        label=lazy("Reactivate"),
        url_path="reactivate",
        permissions=["change"],
        offered=lambda user: user.status == UserStatus.DEACTIVATED,
        question=lambda user: Question(
            _("Reactivate %s?") % user.email,
            [
                _("The user can sign in again. Sessions that have ended stay so."),
                _("What the customer demands counts as ever: without it the account is pending until that is done."),
            ],
            button=_("Reactivate"),
        ),
    )
    def reactivate(self, user: User, context: RequestContext) -> str:
        lifecycle.reactivate(user, context=context)
        return _("The account is open again.")

    @RowAction(
        label=lazy("Erase"),
        url_path="erase",
        is_grave=True,
        permissions=["delete"],
        removes_row=True,
        question=lambda user: Question(
            _("Erase %s?") % user.email,
            [
                _("The account goes, with its sessions, factors and everything else of it. This cannot be undone."),
                _("Mails lose what they said and to whom. Audit events stay; they hold no address."),
            ],
            button=_("Erase for good"),
            numbers=consequences.of_user(user),
        ),
    )
    def erase(self, user: User, context: RequestContext) -> str:
        erasure.erase(customer_id=user.customer_id, user_id=user.id, context=context)
        return _("Erased.")


def _living(user: User) -> int:
    return sessions.alive(customer_id=user.customer_id, user_id=user.id, now=timezone.now()).count()
