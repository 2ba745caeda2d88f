from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, reverse_lazy

from leads.inbox import telling, views

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
    path("ways/", telling.Ways.as_view(), name="ways"),
    path("ways/news/", telling.WaysNews.as_view(), name="ways-news"),
    path("ways/try/", telling.Try.as_view(), name="way-default-try"),
    path("ways/quiet/", telling.Quiet.as_view(), name="quiet-hours"),
    path("ways/add/<slug:transport>/", telling.Add.as_view(), name="way-add"),
    path("ways/of/<slug:kind>/", telling.OfKind.as_view(), name="ways-of"),
    path("ways/<int:way_id>/", telling.Change.as_view(), name="way"),
    path("ways/<int:way_id>/<slug:act>/", telling.Act.as_view(), name="way-do"),
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
