from django.urls import include, path

from tests.bench.bare.views import Insert

# Under the API's own prefix, so that it meets the very middleware that a lead does.
urlpatterns = [path("api/v1/bare", Insert.as_view()), path("", include("config.urls"))]
