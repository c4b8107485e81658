"""Answers both calls of a sign-in by code before Django's handler. Tokens as cookies are told by the view."""

from apps.api.auth import sign_in_answer
from apps.api.auth.one_time_code import CodeRequested, RequestOtpView, VerifyOtpView
from apps.api.before_sign_in_shortcut import BeforeSignInShortcut
from apps.api.renderers import as_json
from apps.api.shortcut import Success
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn


class RequestOtpShortcut(BeforeSignInShortcut):
    path, view = "/api/auth/request-otp", RequestOtpView

    def told(self, result: CodeRequested) -> Success:
        return as_json(result.body), result.headers.items()


class VerifyOtpShortcut(BeforeSignInShortcut):
    path, view = "/api/auth/verify-otp", VerifyOtpView

    def told(self, result: SignedIn | Challenged) -> Success | None:
        return (as_json(sign_in_answer.body_of(result)), ()) if sign_in_answer.is_all_in_body(result) else None
