from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, reverse_lazy

from leads.reports import views
from leads.reports.kinds import KINDS

app_name = "reports"
urlpatterns = [
    *(
        path("" if name == "speed" else f"{name}/", views.Page.as_view(kind=kind), name=name)
        for name, kind in KINDS.items()
    ),
    path("mails/", views.Mails.as_view(), name="mails"),
    path("mails/<int:pk>/", views.ChangeMail.as_view(), name="mail"),
    path("leads/", views.Leads.as_view(), name="leads"),
    path("shift/", views.Shift.as_view(), name="shift"),
    path("decisions/", views.Decisions.as_view(), name="decisions"),
    path("workspace/", views.Switch.as_view(), name="switch"),
    path(
        "login/",
        LoginView.as_view(
            template_name="reports/login.html",
            next_page=reverse_lazy("reports:speed"),
            redirect_authenticated_user=True,
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page=reverse_lazy("reports:login")), name="logout"),
]
