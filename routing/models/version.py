"""Policies as they were published."""

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet


class Immutable(Exception):
    """A published version does not change: publish a new one."""


class PolicyVersionQuerySet(TenantQuerySet):
    def update(self, **kwargs: Any) -> NoReturn:
        raise Immutable

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Immutable

    def delete(self) -> NoReturn:
        raise Immutable


class PolicyVersion(models.Model):
    """A policy as it was published, under a number that counts from 1 in its workspace. Never changed, never deleted.

    `document` is the rulebook's normal form. `team_slugs` and `agent_slugs` are what its rules name, so that these
    are archived rather than deleted. `restored_from` is the number that a roll-back published again.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="policy_versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    team_slugs = models.JSONField(default=list)
    agent_slugs = models.JSONField(default=list)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey("agents.User", models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    restored_from = models.PositiveIntegerField(null=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        ordering = ["workspace", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="policy_version_once_per_workspace")
        ]

    def __str__(self) -> str:
        return _("Version %(number)s") % {"number": self.number}

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Immutable
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Immutable
