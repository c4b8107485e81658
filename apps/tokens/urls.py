"""Tokens, sessions and the user's own profile."""

from django.urls import path

from apps.tokens import profile_views, views

urlpatterns = [
    path("api/auth/refresh", views.Refresh.as_view()),
    path("api/auth/logout", views.Logout.as_view()),
    path("api/auth/me", profile_views.Me.as_view()),
    path("api/auth/me/export", profile_views.Export.as_view()),
    path("api/auth/sessions", views.Sessions.as_view()),
    path("api/auth/sessions/<uuid:session_id>", views.OneSession.as_view()),
]
