from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, reverse_lazy

from leads.inbox import views

app_name = "inbox"
urlpatterns = [
    path("", views.List.as_view(), name="home"),
    path("news/", views.ListNews.as_view(), name="home-news"),
    path("queue/", views.List.as_view(tab=views.QUEUE), name="queue"),
    path("queue/news/", views.ListNews.as_view(tab=views.QUEUE), name="queue-news"),
    path("closed/", views.Closed.as_view(), name="closed"),
    path("why/", views.Why.as_view(), name="why"),
    path("me/", views.Me.as_view(), name="me"),
    path("pause/", views.Pause.as_view(), name="pause"),
    path("workspace/", views.Switch.as_view(), name="switch"),
    path("leads/<uuid:lead_id>/", views.LeadPage.as_view(), name="lead"),
    path("leads/<uuid:lead_id>/news/", views.LeadNews.as_view(), name="lead-news"),
    path("leads/<uuid:lead_id>/<slug:act>/", views.Do.as_view(), name="do"),
    path(
        "login/",
        LoginView.as_view(
            template_name="inbox/login.html", next_page=reverse_lazy("inbox:home"), redirect_authenticated_user=True
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page=reverse_lazy("inbox:login")), name="logout"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("sw.js", views.ServiceWorker.as_view(), name="worker"),
]
