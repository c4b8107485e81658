"""The rows among which an operator chooses, looked up as one types: those of the list of their page, and no others."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.http import HttpRequest


class ChoicesView(AutocompleteJsonView):
    """Choices of a field. Django's own fails for the other side of a relation, which no form offers."""

    def process_request(self, request: HttpRequest) -> Any:
        asked = super().process_request(request)
        if not isinstance(asked[2], Field):
            raise PermissionDenied
        return asked

    def has_perm(self, request: HttpRequest, obj: Any = None) -> bool:
        """Names are enough to choose: not everybody who may filter by a customer may open its page."""
        page: Any = self.model_admin
        return bool(page.may_choose(request))
