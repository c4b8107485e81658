"""One-time codes."""

from django.urls import path

from apps.otp import views

urlpatterns = [
    path("api/auth/request-otp", views.RequestOtp.as_view()),
]
