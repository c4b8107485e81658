"""The base of the pages of users' second factors: they show what there is, never a secret, and take away what a user has lost."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display

from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.factors.removal import Removal
from apps.operators.changes.declared_actions import RowAction
from apps.operators.lists.searches import by_address_of_user, by_id, by_reference
from apps.operators.pages.base import ReadOnlyAdmin, link_to
from apps.operators.questions import Question


class FactorAdmin(ReadOnlyAdmin):
    """A list to search by user, and one action."""

    list_select_related = ("user", "user__customer")
    searches = (by_address_of_user("user"), by_reference("user"), by_id)
    search_help_text = lazy("A whole address, or an id")
    list_filter = ("user__customer",)
    actions_detail = ("remove",)

    @display(description=lazy("Customer"))
    def customer_of(self, row: Any) -> str:
        return str(row.user.customer)

    @display(description=lazy("Customer"))
    def customer_link(self, row: Any) -> str:
        return link_to("customers_customer", row.user.customer_id, str(row.user.customer))

    @RowAction(
        label=lazy("Remove"),
        takes_away=True,
        url_path="remove",
        permissions=["delete"],
        removes_row=True,
        question=lambda factor: Question(
            _("Remove this factor of %s?") % factor.user.email,
            [
                _("The user can no longer sign in with it, and is told by mail. It has to be enrolled anew."),
                _("Be sure that it is the user who asks: this is how a second factor is got around."),
            ],
            button=_("Remove"),
        ),
    )
    def remove(self, factor: Any, context: RequestContext) -> str:
        customer = customers.read(factor.user.customer_id)
        self.take_away(
            factor,
            Removal(user=factor.user, customer=customer, may_break_policy=True, context=context),
        )
        return _("Removed. The user is told by mail.")

    def take_away(self, factor: Any, by: Removal) -> None:
        """Remove the factor that the row stands for. Raises NotFound."""
        raise NotImplementedError
