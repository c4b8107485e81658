"""The front page, and the pages that links in mails lead to (apps.customers.links)."""

from django.urls import path

from apps.customers import links
from apps.portal import email_change, front_page, password

urlpatterns = [
    path("", front_page.FrontPage.as_view()),
    path(f"account/<slug:slug>/{links.RESET_PASSWORD}", password.ResetPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.FORGOT_PASSWORD}", password.ForgotPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.UNDO_EMAIL_CHANGE}", email_change.UndoEmailChangePage.as_view()),
]
