"""Doors into a workspace for servers: API keys."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.validators import check_texts, validate_one_line


class Scope(models.TextChoices):
    """What an API key may be used for."""

    LEADS_WRITE = "leads:write", _("Hand in and change leads")
    LEADS_READ = "leads:read", _("Read leads")
    REPORTS_READ = "reports:read", _("Read reports")


class ApiKeyQuerySet(TenantQuerySet):
    def find(self, key: str) -> "ApiKey | None":
        """The row of this key with its workspace, None for one that is unknown or revoked."""
        return self.filter(hash=hash_of(key), revoked_at=None).select_related("workspace").first()


class ApiKey(models.Model):
    """A server's key. Only its hash is stored: 256 random bits need no slow one."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=120, blank=True, validators=[validate_one_line])
    hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="api_key_of_workspace")]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()

    def clean(self) -> None:
        unknown = [scope for scope in check_texts(self.scopes) if scope not in Scope.values]
        if unknown or not self.scopes:
            raise ValidationError(
                {"scopes": _("Choose from these scopes: %(scopes)s.") % {"scopes": ", ".join(Scope.values)}}
            )

    @classmethod
    def issue(cls, *, workspace: "models.Model", name: str, scopes: Sequence[str]) -> tuple[Self, str]:
        """Make a key. Returns the row and the key itself, which nobody sees again. Raises ValidationError."""
        key = f"sy_{secrets.token_urlsafe(32)}"
        row = cls(workspace=workspace, name=name, hash=hash_of(key), prefix=key[:9], scopes=list(dict.fromkeys(scopes)))
        row.full_clean()
        row.save()
        return row, key

    def allows(self, scope: str) -> bool:
        return scope in self.scopes


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
