"""A customer's policy as its page shows it: which fields, in which groups, with which help, and who may fill them in."""

from typing import Any

from unfold.widgets import UnfoldAdminTextareaWidget

from apps.customers import policy
from apps.customers.models import Customer
from apps.customers.policy import Group
from apps.operators.pages.row_form import RowForm

# What stands in a group beside the fields of the policy.
BEFORE = {Group.SECRETS: ("secrets",)}
AFTER = {Group.QUOTAS: ("default_limits",)}
FIELDSETS: tuple[tuple[str | None, Any], ...] = (
    (None, {"fields": ("name", "slug", "id", "status", "created_at")}),
    *(
        (str(group), {"fields": (*BEFORE.get(group, ()), *names, *AFTER.get(group, ()))})
        for group, names in policy.groups().items()
    ),
)
HELP_TEXTS = {"slug": "Part of the issuer of every token: cannot be changed later.", **policy.help_texts()}


class CustomerForm(RowForm[Customer]):
    class Meta:  # the model and the fields are the admin's choice
        help_texts = HELP_TEXTS
        widgets = {name: UnfoldAdminTextareaWidget(attrs={"rows": 3}) for name in policy.LISTS}

    def clean(self) -> dict[str, Any] | None:
        """A list left empty is an empty list."""
        cleaned = super().clean()
        for name in policy.LISTS:
            if name in self.cleaned_data:
                self.cleaned_data[name] = self.cleaned_data[name] or []
        return cleaned


class CustomerFormOfOthers(CustomerForm):
    """The form for operators who may not approve users: where an outside check approves them is fixed.

    The disabled field ignores what is posted.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "identity_check_url" in self.fields:  # not on a page that only shows the policy
            self.fields["identity_check_url"].disabled = True
