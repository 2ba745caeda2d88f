"""What somebody was offered by mail: to become a member, and to take leads as an agent."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import Role, TenantQuerySet
from agents.tenancy import SameWorkspace


class InvitationQuerySet(TenantQuerySet):
    def open(self) -> "InvitationQuerySet":
        """Those that nobody accepted or withdrew, too old ones included."""
        return self.filter(accepted_at=None, withdrawn_at=None)


class Invitation(models.Model):
    """A role in a workspace, and perhaps a place as one of its agents, for whoever follows the link.

    The link is the secret, so only its hash is stored. It works once, until `expires_at`.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=10, choices=Role)
    agent = models.ForeignKey(
        "agents.Agent",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invitations",
        verbose_name=_("takes leads as"),
        help_text=_("Whose leads they see and answer in the inbox. Empty: they take no leads."),
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey("agents.User", models.SET_NULL, null=True, editable=False, related_name="+")
    invited_at = models.DateTimeField(_("invited"), editable=False)
    expires_at = models.DateTimeField(_("works until"), editable=False)
    accepted_by = models.ForeignKey("agents.User", models.SET_NULL, null=True, editable=False, related_name="+")
    accepted_at = models.DateTimeField(null=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            SameWorkspace(field="agent", name="invitation_has_own_agent"),
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_per_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_role_display()}"
