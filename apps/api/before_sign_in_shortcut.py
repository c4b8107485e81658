"""Answers calls that nobody is signed in for yet before Django's handler. What is no plain JSON goes on to the view."""

from functools import partial
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import translation

from apps.api.authentication.api_key import identified
from apps.api.base_views import BeforeSignInView
from apps.api.parsers import opened_before_sign_in
from apps.api.shortcut import EarlyRequest, Shortcut, found_out, json_body_in
from apps.api_keys import clients
from apps.core import text_languages


class BeforeSignInShortcut(Shortcut):
    """In front of a view that says what it does by `done`: the key, its scope, the envelope, and then that."""

    method = "POST"
    view: ClassVar[type[BeforeSignInView]]

    def answer(self, request: EarlyRequest) -> bytes | None:
        body = json_body_in(request.META)
        if not body:
            return None
        translation.activate(
            text_languages.of_answer_to(request)
        )  # of what is told; each request of the thread sets its own
        outcome = found_out(partial(self._outcome, body, request), request)
        request.META[self.view.OUTCOME] = outcome
        return None if isinstance(outcome, Exception) else self.told(outcome, request)

    def told(self, outcome: Any, request: EarlyRequest) -> bytes | None:
        """The body of the answer. None for what the view has to tell, since it needs cookies, say."""
        raise NotImplementedError

    def _outcome(self, body: bytes, request: HttpRequest) -> Any:
        """In the order in which the view does it."""
        client = identified(request)
        clients.require_scope(client, self.view.required_scope)
        return self.view.done(opened_before_sign_in(body, request, client), client, request)
