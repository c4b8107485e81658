"""Calls that nobody is signed in for yet, answered before Django's handler, and the base of the views behind these shortcuts."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.http import HttpRequest
from django.utils import translation
from rest_framework.request import Request

from apps.api import handed_on
from apps.api.authentication.api_key import client_of, identified
from apps.api.base_views import BeforeSignInView
from apps.api.early_request import EarlyRequest, json_body_in
from apps.api.parsers import opened_before_sign_in
from apps.api.shortcut import Shortcut, Success, ask
from apps.api_keys import clients
from apps.api_keys.clients import ApiClient
from apps.core import text_languages

Result = TypeVar("Result")


class BehindShortcutView(BeforeSignInView, Generic[Result]):
    """S, with a shortcut in front. What the call does is said once, by `act`."""

    @classmethod
    def act(cls, document: Mapping[str, Any], client: ApiClient, request: HttpRequest) -> Result:
        """What the call does, when key, scope and envelope are right. Raises its refusals."""
        raise NotImplementedError

    @classmethod
    def check_and_act(cls, body: bytes, request: HttpRequest) -> Result:
        """The same with all checks before it, in the order in which DRF makes them: the step of the shortcut."""
        client = identified(request)
        clients.require_scope(client, cls.required_scope)
        return cls.act(opened_before_sign_in(body, request, client), client, request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check nothing that the shortcut has checked: the envelope is used up by then."""
        if handed_on.outcome_of(request.META, self.check_and_act) is None:
            super().initial(request, *args, **kwargs)

    def result(self, request: Request) -> Result:
        """What the shortcut has done already; else it is done now."""
        handed = handed_on.outcome_of(request.META, self.check_and_act)
        if handed is not None:
            return handed.get()
        document = cast("Mapping[str, Any]", request.data)
        return self.act(document, client_of(request), request._request)  # noqa: SLF001


class BeforeSignInShortcut(Shortcut):
    """In front of such a view. What is no plain JSON goes on to it."""

    method = "POST"
    view: ClassVar[type[BehindShortcutView[Any]]]

    def answer(self, request: EarlyRequest) -> Success | None:
        body = json_body_in(request.META)
        if not body:
            return None
        # Of what is told. It need not be set back: each request of the thread sets its own.
        translation.activate(text_languages.of_answer_to(request))
        return self.told(ask(request, self.view.check_and_act, body, request))

    def told(self, result: Any) -> Success | None:
        """The answer that says this. None for what the view has to tell, since it needs cookies, say."""
        raise NotImplementedError
