"""A first or a forgotten password, by mail: whoever reads it has the address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views
from django.urls import path, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import ContextMixin, TemplateResponseMixin
from unfold.widgets import BASE_INPUT_CLASSES

from agents.forms.people import FirstOrForgottenPasswordForm


class _Page(TemplateResponseMixin, ContextMixin):
    """A page of its own beside the login."""

    template_name = "admin/password.html"
    sentence: Any = ""
    button: Any = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if "form" in context and context["form"] is not None:
            for field in context["form"].fields.values():
                field.widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)
        site = admin.site.each_context(self.request)
        return {**site, **context, "sentence": self.sentence, "button": self.button}


class Ask(_Page, views.PasswordResetView):
    form_class = FirstOrForgottenPasswordForm
    email_template_name = "admin/password_mail.txt"
    subject_template_name = "admin/password_subject.txt"
    success_url = reverse_lazy("admin:password_reset_done")
    extra_email_context = {"public_url": settings.PUBLIC_URL}
    title = _("A new password")
    sentence = _("Write your e-mail address; we send a link to it with which you choose a password.")
    button = _("Send the link")


class Sent(_Page, views.PasswordResetDoneView):
    title = _("Look into your mail")
    sentence = _("If there is an account with this address, a link is on its way. It works for three days, once.")


class Choose(_Page, views.PasswordResetConfirmView):
    success_url = reverse_lazy("admin:password_reset_complete")
    title = _("Choose a password")
    button = _("Set the password")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if not self.validlink:
            context |= {
                "title": _("This link does not work any more"),
                "sentence": _("It was used already, or it is too old. Ask for another."),
            }
        return context


class Chosen(_Page, views.PasswordResetCompleteView):
    title = _("Your password is set")
    sentence = _("You can log in with it now.")


def urls() -> list[Any]:
    """Under the names that the login page and Django's views look for."""
    return [
        path("password/", Ask.as_view(), name="admin_password_reset"),
        path("password/sent/", Sent.as_view(), name="password_reset_done"),
        path("password/<uidb64>/<token>/", Choose.as_view(), name="password_reset_confirm"),
        path("password/set/", Chosen.as_view(), name="password_reset_complete"),
    ]
