"""Members are invited by mail; who follows the link becomes one, and the agent that the invitation names."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from agents.models import Agent, Invitation, Membership, User, Workspace
from agents.models.access import hash_of
from agents.scoping import Role, grantable, role_in

VALID_FOR = timedelta(days=7)
_RANK = list(Role)  # the most powerful first
_ONLY_LOGGED = "django.core.mail.backends.console.EmailBackend"


class InvitationRefused(Exception):
    """The text is a sentence for whoever followed the link."""


def invite(*, workspace: Workspace, email: str, role: Role, agent: Agent | None, by: User, at: datetime) -> Invitation:
    """Write an invitation down. Nobody can accept it before `renew` makes its link."""
    return Invitation.objects.create(
        workspace=workspace,
        email=User.objects.normalize_email(email),
        role=role,
        agent=agent,
        invited_by=by,
        token_hash=hash_of(_new_token()),
        invited_at=at,
        expires_at=at + VALID_FOR,
    )


def renew(*, invitation: Invitation, by: User, at: datetime) -> str:
    """Make a link that works from now on, in place of the one before. Returns its address, which is stored nowhere.

    Raises InvitationRefused where somebody accepted or withdrew the invitation meanwhile.
    """
    token = _new_token()
    renewed = Invitation.objects.open().filter(pk=invitation.pk)
    if not renewed.update(token_hash=hash_of(token), invited_by=by, invited_at=at, expires_at=at + VALID_FOR):
        raise InvitationRefused(_("%(email)s is not invited any more.") % {"email": invitation.email})
    invitation.refresh_from_db()
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[token])}"


def withdraw(*, invitation: Invitation, at: datetime) -> bool:
    """Make the link worthless. False where it was accepted or withdrawn before."""
    return bool(Invitation.objects.open().filter(pk=invitation.pk).update(withdrawn_at=at))


def send(invitation: Invitation, link: str) -> bool:
    """Mail the link. False where no mail goes out: then whoever invited hands the link over themselves."""
    context = {"invitation": invitation, "link": link, "days": VALID_FOR.days}
    try:
        send_mail(
            _("%(workspace)s invites you to Switchyard") % {"workspace": invitation.workspace.name},
            render_to_string("invitations/mail.txt", context),
            None,
            [invitation.email],
        )
    except (SMTPException, OSError):
        return False
    return settings.EMAIL_BACKEND != _ONLY_LOGGED


def find(token: str, *, at: datetime) -> Invitation:
    """The open invitation of this link. Raises InvitationRefused."""
    found = Invitation.objects.select_related("workspace", "agent", "invited_by").filter(token_hash=hash_of(token))
    invitation = found.first()
    if invitation is None or invitation.withdrawn_at is not None:
        raise InvitationRefused(_("This invitation does not exist any more. Ask for another."))
    if invitation.accepted_at is not None:
        raise InvitationRefused(_("This invitation was accepted already. Log in as usual."))
    if at >= invitation.expires_at:
        raise InvitationRefused(_("This invitation is too old. Ask for another."))
    giver = invitation.invited_by
    if giver is None or not giver.is_active or invitation.role not in _grantable_by(giver, invitation.workspace):
        raise InvitationRefused(_("Who invited you may not give this role any more. Ask somebody else."))
    return invitation


@transaction.atomic
def accept(*, token: str, user: User, at: datetime) -> Invitation:
    """Make the user a member with the invitation's role, or with the one they have where that is more; and the agent.

    Raises InvitationRefused; then nothing is changed.
    """
    invitation = find(token, at=at)
    taken = Invitation.objects.open().filter(pk=invitation.pk, token_hash=hash_of(token))
    if not taken.update(accepted_at=at, accepted_by=user):
        raise InvitationRefused(_("This invitation was accepted already. Log in as usual."))
    membership, is_new = Membership.objects.select_for_update().get_or_create(
        workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
    )
    if not is_new and _RANK.index(Role(invitation.role)) < _RANK.index(Role(membership.role)):
        membership.role = invitation.role
        membership.save(update_fields=["role"])
    if invitation.agent_id is not None:
        _become_agent(user, invitation)
    return invitation


def _become_agent(user: User, invitation: Invitation) -> None:
    agents = Agent.objects.for_workspace(invitation.workspace)
    own = agents.filter(user=user).first()
    if own is not None and own.pk != invitation.agent_id:
        raise InvitationRefused(
            _("You take leads here as %(name)s already. Ask for an invitation without an agent.") % {"name": own.name}
        )
    agent = agents.select_for_update().get(pk=invitation.agent_id)
    if agent.user_id not in (None, user.pk):
        raise InvitationRefused(
            _("Somebody else takes leads as %(name)s already. Ask for another invitation.") % {"name": agent.name}
        )
    agent.user = user
    agent.save()


def _grantable_by(user: User, workspace: Workspace) -> tuple[Role, ...]:
    return grantable(Role.OWNER if user.is_superuser else role_in(user, workspace))


def _new_token() -> str:
    return secrets.token_urlsafe(24)
