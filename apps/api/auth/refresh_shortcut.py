"""Answers refreshes before Django's handler. Tokens that travel as cookies, and bodies that are no plain JSON, go on to the view."""

from apps.api.auth import token_answer
from apps.api.auth.refresh import LONGEST, RefreshView, new_tokens
from apps.api.early_request import EarlyRequest, Environ, json_body_in
from apps.api.renderers import as_json
from apps.api.shortcut import Shortcut, Success, ask
from apps.payloads.strict_json import NotStrictJson, parse_object


class RefreshShortcut(Shortcut):
    method, path, view = "POST", "/api/auth/refresh", RefreshView

    def answer(self, request: EarlyRequest) -> Success | None:
        text = _token_in(request.META)
        if text is None:
            return None
        pair = ask(request, new_tokens, text, request, by_cookie=False)
        return (as_json(token_answer.document(pair)), ()) if token_answer.is_in_body(pair) else None


def _token_in(environ: Environ) -> str | None:
    """The token that the view's serializer would find in the body. None for all else, also for what it would refuse."""
    body = json_body_in(environ)
    if body is None:
        return None
    try:
        text = parse_object(body).get("refresh_token")
    except NotStrictJson:
        return None
    return text if isinstance(text, str) and 0 < len(text) <= LONGEST and "\0" not in text else None
