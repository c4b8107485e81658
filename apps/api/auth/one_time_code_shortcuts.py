"""Answers both calls of a sign-in by code before Django's handler. Tokens as cookies are told by the view."""

from apps.api.auth import sign_in_answer
from apps.api.auth.one_time_code import CodeRequested, RequestOtpView, VerifyOtpView
from apps.api.before_sign_in_shortcut import BeforeSignInShortcut
from apps.api.early_request import EarlyRequest
from apps.api.renderers import as_json
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn


class RequestOtpShortcut(BeforeSignInShortcut):
    path, view = "/api/auth/request-otp", RequestOtpView

    def told(self, result: CodeRequested, request: EarlyRequest) -> bytes:
        request.more_headers += result.headers.items()
        return as_json(result.body)


class VerifyOtpShortcut(BeforeSignInShortcut):
    path, view = "/api/auth/verify-otp", VerifyOtpView

    def told(self, result: SignedIn | Challenged, request: EarlyRequest) -> bytes | None:
        return as_json(sign_in_answer.body_of(result)) if sign_in_answer.is_all_in_body(result) else None
