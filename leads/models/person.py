"""People, and how they are recognised."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.scoping import TenantQuerySet
from agents.tenancy import SameWorkspace


class Person(models.Model):
    """Somebody who handed in leads. People are never merged."""

    workspace = models.ForeignKey("agents.Workspace", models.PROTECT, related_name="people", db_index=False)
    created_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="person_of_workspace")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ContactKind(models.TextChoices):
    """By what a person is recognised; the first that finds anybody decides, in this order."""

    VISITOR = "visitor", _("Visitor id")
    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")


class ContactKey(models.Model):
    """A visitor id, an e-mail address or an E.164 phone number, and whose it is."""

    workspace = models.ForeignKey(
        "agents.Workspace", models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    person = models.ForeignKey(Person, models.CASCADE, related_name="contact_keys", db_constraint=False)
    kind = models.CharField(_("kind"), max_length=10, choices=ContactKind)
    value = models.CharField(_("value"), max_length=254)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            SameWorkspace(field="person", name="contact_has_own_person"),
            models.UniqueConstraint(fields=["workspace", "kind", "value"], name="one_person_per_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"
