"""Tokens, sessions and the user's own profile."""

from django.urls import path

from apps.tokens import profile_views, service_views, views

urlpatterns = [
    path("api/auth/refresh", views.Refresh.as_view()),
    path("api/auth/logout", views.Logout.as_view()),
    path("api/auth/me", profile_views.Me.as_view()),
    path("api/auth/me/export", profile_views.Export.as_view()),
    path("api/auth/sessions", views.Sessions.as_view()),
    path("api/auth/sessions/<uuid:session_id>", views.OneSession.as_view()),
    path("api/auth/introspect", service_views.Introspect.as_view()),
    path("api/auth/revoke", service_views.Revoke.as_view()),
    path("api/internal/verify-user", service_views.VerifyUser.as_view()),
    path("customers/<slug:slug>/.well-known/jwks.json", service_views.Jwks.as_view()),
    path("customers/<slug:slug>/.well-known/openid-configuration", service_views.Configuration.as_view()),
]
