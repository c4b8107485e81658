"""The front page, the pages that links in mails lead to (apps.customers.links), and the account's."""

from django.urls import include, path, re_path

from apps.customers import links
from apps.portal import app_sign_out, email_change, front_page, password, sign_out, stylesheet
from apps.portal.account import overview
from apps.portal.sign_in import arrival, code, enrolment, passkey, registering, second_factor, start
from apps.portal.sign_in import password as by_password

SIGN_IN = "sign-in/<slug:slug>"

urlpatterns = [
    path("", front_page.FrontPage.as_view()),
    re_path(r"^brand/(?P<colour>[0-9a-f]{6})\.css$", stylesheet.BrandStylesheet.as_view(), name="brand-stylesheet"),
    path(f"account/<slug:slug>/{links.RESET_PASSWORD}", password.ResetPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.FORGOT_PASSWORD}", password.ForgotPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.UNDO_EMAIL_CHANGE}", email_change.UndoEmailChangePage.as_view()),
    path(SIGN_IN, start.StartPage.as_view()),
    path(f"{SIGN_IN}/code", code.CodePage.as_view()),
    path(f"{SIGN_IN}/password", by_password.PasswordPage.as_view()),
    path(f"{SIGN_IN}/passkey", passkey.PasskeyPage.as_view()),
    path(f"{SIGN_IN}/second-factor", second_factor.SecondFactorPage.as_view()),
    path(f"{SIGN_IN}/enrol", enrolment.EnrolPage.as_view()),
    path(f"{SIGN_IN}/register", registering.RegisterPage.as_view()),
    path(f"{SIGN_IN}/verify-email", registering.VerifyEmailPage.as_view()),
    path(f"{SIGN_IN}/continue", arrival.ContinuePage.as_view()),
    path("api/oauth/logout", app_sign_out.AppSignOutPage.as_view()),
    path("sign-out/<slug:slug>", sign_out.SignOutPage.as_view()),
    path("account/<slug:slug>", overview.OverviewPage.as_view()),
    path("account/<slug:slug>/", include("apps.portal.account.urls")),
]
