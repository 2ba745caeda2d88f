from django.urls import path

from agents.invitation_pages import InvitationPage

urlpatterns = [path("<str:token>/", InvitationPage.as_view(), name="invitation")]
