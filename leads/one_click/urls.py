from django.urls import path

from leads.one_click import views

urlpatterns = [path("<str:token>/", views.OneClick.as_view(), name="one-click")]
