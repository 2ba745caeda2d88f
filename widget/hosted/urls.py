"""The pages of sites."""

from django.urls import path

from widget.hosted import views

urlpatterns = [
    path("<sitekey:key>", views.HostedPage.as_view(), name="hosted-page"),
    path("<sitekey:key>/look.css", views.look, name="hosted-look"),
]
