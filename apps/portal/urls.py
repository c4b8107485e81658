"""The front page, and the pages that links in mails lead to (apps.customers.links)."""

from django.urls import path, re_path

from apps.customers import links
from apps.portal import email_change, front_page, password, stylesheet

urlpatterns = [
    path("", front_page.FrontPage.as_view()),
    re_path(r"^brand/(?P<colour>[0-9a-f]{6})\.css$", stylesheet.BrandStylesheet.as_view(), name="brand-stylesheet"),
    path(f"account/<slug:slug>/{links.RESET_PASSWORD}", password.ResetPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.FORGOT_PASSWORD}", password.ForgotPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.UNDO_EMAIL_CHANGE}", email_change.UndoEmailChangePage.as_view()),
]
