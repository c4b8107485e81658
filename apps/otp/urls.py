"""Sign-in by one-time code."""

from django.urls import path

from apps.otp import views

urlpatterns = [
    path("api/auth/request-otp", views.RequestOtp.as_view()),
    path("api/auth/verify-otp", views.VerifyOtp.as_view()),
]
