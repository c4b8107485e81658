"""A user's own second factors."""

from django.urls import path

from apps.factors import views

urlpatterns = [
    path("api/auth/2fa", views.Overview.as_view()),
    path("api/auth/2fa/totp", views.App.as_view()),
    path("api/auth/2fa/totp/confirm", views.AppConfirmation.as_view()),
    path("api/auth/2fa/sms", views.Phone.as_view()),
    path("api/auth/2fa/sms/confirm", views.PhoneConfirmation.as_view()),
    path("api/auth/2fa/passkeys", views.Passkeys.as_view()),
    path("api/auth/2fa/passkeys/options", views.PasskeyOptions.as_view()),
    path("api/auth/2fa/passkeys/<uuid:passkey_id>", views.OnePasskey.as_view()),
    path("api/auth/2fa/recovery-codes", views.RecoveryCodes.as_view()),
]
