"""The sample customer page."""

from django.urls import path

from widget.demo import views

urlpatterns = [
    path("", views.page, name="demo"),
    path("try", views.try_lead, name="demo-try"),
    path("why/<str:token>", views.why, name="demo-why"),
]
