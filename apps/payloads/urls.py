"""The service's published keys."""

from django.urls import path

from apps.payloads import views

urlpatterns = [path(".well-known/jwks.json", views.published_keys)]
