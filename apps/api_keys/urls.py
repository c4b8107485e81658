"""Endpoints for servers that hold an API key."""

from django.urls import path

from apps.api_keys import views

urlpatterns = [path("api/sandbox/messages", views.SandboxMessages.as_view())]
