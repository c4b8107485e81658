"""The addresses of the admin, and all of its pages with them. `config.urls` has this loaded when somebody asks for one."""

from django.contrib import admin

admin.autodiscover()
urlpatterns = admin.site.get_urls()
