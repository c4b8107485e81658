"""Where the pages of the account are, below `/account/{customer}`."""

from django.urls import path

from apps.portal.account import (
    authenticator_app,
    devices,
    email,
    erasure,
    export,
    passkeys,
    password,
    phone,
    profile,
    prove,
    recovery_codes,
    sessions,
)

urlpatterns = [
    path("prove", prove.ProvePage.as_view()),
    path("sessions", sessions.SessionsPage.as_view()),
    path("sessions/end-others", sessions.EndOtherSessionsPage.as_view()),
    path("passkeys", passkeys.PasskeysPage.as_view()),
    path("passkeys/add", passkeys.AddPasskeyPage.as_view()),
    path("passkeys/<uuid:passkey_id>/rename", passkeys.RenamePasskeyPage.as_view()),
    path("passkeys/<uuid:passkey_id>/remove", passkeys.RemovePasskeyPage.as_view()),
    path("authenticator-app", authenticator_app.AppPage.as_view()),
    path("authenticator-app/set-up", authenticator_app.BeginAppPage.as_view()),
    path("authenticator-app/confirm", authenticator_app.ConfirmAppPage.as_view()),
    path("authenticator-app/remove", authenticator_app.RemoveAppPage.as_view()),
    path("phone", phone.PhonePage.as_view()),
    path("phone/number", phone.GiveNumberPage.as_view()),
    path("phone/confirm", phone.ConfirmNumberPage.as_view()),
    path("phone/remove", phone.RemoveNumberPage.as_view()),
    path("recovery-codes", recovery_codes.RecoveryCodesPage.as_view()),
    path("recovery-codes/new", recovery_codes.MakeCodesPage.as_view()),
    path("devices", devices.DevicesPage.as_view()),
    path("devices/forget-all", devices.ForgetDevicesPage.as_view()),
    path("name", profile.ProfilePage.as_view()),
    path("email", email.EmailPage.as_view()),
    path("email/confirm", email.ConfirmEmailPage.as_view()),
    path("password", password.PasswordPage.as_view()),
    path("password/first", password.FirstPasswordPage.as_view()),
    path("data", export.ExportPage.as_view()),
    path("delete", erasure.ErasurePage.as_view()),
]
