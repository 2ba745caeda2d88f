from django.urls import path

from leads.push import views

urlpatterns = [
    path("key", views.key, name="push-key"),
    path("subscribe", views.subscribe, name="push-subscribe"),
    path("unsubscribe", views.unsubscribe, name="push-unsubscribe"),
]
