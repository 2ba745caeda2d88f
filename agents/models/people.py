"""People who log in, and what they are where."""

from typing import Any

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import ADMIN_ROLES, Role, TenantQuerySet


class UserManager(BaseUserManager["User"]):
    """Makes users by their e-mail address, which is kept in lower case."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))

    async def aget_by_natural_key(self, username: str | None) -> "User":
        return await self.aget(email=self.normalize_email(username))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Raises ValueError without an address. Without a password nobody can log in yet."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """An operator."""
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractUser):
    """Somebody who logs in, by e-mail address. What they may do depends on their memberships."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(
        _("e-mail address"), unique=True, error_messages={"unique": _("There is a user with this address already.")}
    )

    objects = UserManager()  # type: ignore[assignment, misc]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta(AbstractUser.Meta):
        constraints = [
            # Addresses that differ only in case are one person's; `save` lowers them, other writers may not.
            models.CheckConstraint(
                condition=models.Q(email=models.functions.Lower("email")), name="user_email_is_lower"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = UserManager.normalize_email(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = UserManager.normalize_email(self.email)
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """Whether they may enter /admin/: operators, and whoever is owner or manager somewhere."""
        return self.is_superuser or (self.pk is not None and self.memberships.filter(role__in=ADMIN_ROLES).exists())


class Membership(models.Model):
    """What a user is in a workspace."""

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user"],
                name="one_membership_per_user",
                violation_error_message=_("This user is a member already. Change their role instead."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"
