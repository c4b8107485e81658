"""Answers both calls of a sign-in by code before Django's handler. Tokens as cookies, and challenges, are told by the view."""

from apps.api.auth import sign_in_answer
from apps.api.auth.one_time_code import CodeRequested, RequestOtpView, VerifyOtpView
from apps.api.before_sign_in_shortcut import BeforeSignInShortcut
from apps.api.renderers import as_json
from apps.api.shortcut import EarlyRequest
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn


class RequestOtpShortcut(BeforeSignInShortcut):
    path, view = "/api/auth/request-otp", RequestOtpView

    def told(self, outcome: CodeRequested, request: EarlyRequest) -> bytes:
        request.more_headers += outcome.headers.items()
        return as_json(outcome.body)


class VerifyOtpShortcut(BeforeSignInShortcut):
    path, view = "/api/auth/verify-otp", VerifyOtpView

    def told(self, outcome: SignedIn | Challenged, request: EarlyRequest) -> bytes | None:
        return as_json(sign_in_answer.body_of(outcome)) if sign_in_answer.is_all_in_body(outcome) else None
