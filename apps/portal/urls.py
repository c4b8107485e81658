"""The front page, and the pages that links in mails lead to (apps.customers.links)."""

from django.urls import path

from apps.customers import links
from apps.portal import views

urlpatterns = [
    path("", views.FrontPage.as_view()),
    path(f"account/<slug:slug>/{links.RESET_PASSWORD}", views.ResetPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.FORGOT_PASSWORD}", views.ForgotPasswordPage.as_view()),
    path(f"account/<slug:slug>/{links.UNDO_EMAIL_CHANGE}", views.UndoEmailChangePage.as_view()),
]
