"""The page behind the link of an invitation. Opening it changes nothing; its button accepts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from agents import inviting
from agents.forms.invitation import ArrivalForm
from agents.models import Invitation, User
from agents.scoping import ADMIN_ROLES, Role, activate


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class InvitationPage(View):
    """Who is logged in accepts; who has an account logs in first; who has none chooses a password.

    An account that exists is never opened by the link alone: whoever invited may know the link, too.
    """

    http_method_names = ["get", "head", "options", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._page(request, token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            invitation = inviting.find(token, at=timezone.now())
            if request.user.is_authenticated:
                return self._accept(request, token, request.user)
            if _has_account(invitation):
                return self._page(request, token)
            form = ArrivalForm(User(email=invitation.email), request.POST)
            if not form.is_valid():
                return self._page(request, token, form=form)
            with transaction.atomic():
                user = form.save()
                return self._accept(request, token, user)
        except inviting.InvitationRefused as refusal:
            return _shown(request, {"refused": str(refusal)}, status=409)
        except IntegrityError:  # the same form twice at once: the other one made the account
            return self._page(request, token)

    def _accept(self, request: HttpRequest, token: str, user: User) -> HttpResponse:
        invitation = inviting.accept(token=token, user=user, at=timezone.now())
        if not request.user.is_authenticated:
            login(request, user)
        activate(request, invitation.workspace)
        return redirect(_first_page(invitation))

    def _page(self, request: HttpRequest, token: str, *, form: ArrivalForm | None = None) -> HttpResponse:
        try:
            invitation = inviting.find(token, at=timezone.now())
        except inviting.InvitationRefused as refusal:
            return _shown(request, {"refused": str(refusal)}, status=410)
        context: dict[str, Any] = {"invitation": invitation, "role": Role(invitation.role).label}
        if not request.user.is_authenticated:
            if _has_account(invitation):
                context["login"] = f"{reverse('inbox:login')}?next={request.path}"
            else:
                context["form"] = form or ArrivalForm(User(email=invitation.email))
        return _shown(request, context, status=400 if form is not None else 200)


def _has_account(invitation: Invitation) -> bool:
    return User.objects.filter(email=invitation.email).exists()


def _first_page(invitation: Invitation) -> str:
    if invitation.role in ADMIN_ROLES:
        return reverse("admin:index")
    return "/reports/" if invitation.role == Role.OPS and invitation.agent_id is None else reverse("inbox:home")


def _shown(request: HttpRequest, context: dict[str, Any], *, status: int) -> HttpResponse:
    title = _("This invitation does not work") if "refused" in context else _("You are invited")
    response = render(request, "invitations/page.html", {"title": title, **context}, status=status)
    # The address holds the right to join: it goes into no index and to no other page.
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
