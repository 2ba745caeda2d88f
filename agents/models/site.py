"""Sites: where visitors come in, and what they see there before they say anything."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from agents import channels, site_texts
from agents.colours import WHITE, WORDS, contrast, normal_colour
from agents.origins import normal_origin, valid_origin
from agents.scoping import TenantQuerySet
from agents.validators import check_texts, validate_link, validate_one_line, validate_web_address


def make_site_key() -> str:
    """144 random bits, safe in an address and on a command line: it begins with no hyphen."""
    while (key := secrets.token_urlsafe(18))[0] in "-_":
        pass
    return key


def make_signing_secret() -> str:
    return secrets.token_hex(32)


class Side(models.TextChoices):
    """Of the page. Not of the text: the button stays where it is in languages that run from right to left."""

    RIGHT = "right", _("Right")
    LEFT = "left", _("Left")


class Scheme(models.TextChoices):
    AUTO = "auto", _("As the visitor's device is set")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Site(models.Model):
    """A website that carries the widget. Its key is public; the origin of a request must be on its list.

    `texts` are the site's own words by language, as `agents.site_texts` checks them. `signing_secret` is known to the
    customer's server, which signs with it what it says about a visitor.
    """

    workspace = models.ForeignKey("agents.Workspace", models.CASCADE, related_name="sites")
    name = models.CharField(_("name"), max_length=120, validators=[validate_one_line])
    key = models.CharField(_("key"), max_length=40, unique=True, default=make_site_key, editable=False)
    origins = models.JSONField(
        _("origins"),
        default=list,
        blank=True,
        help_text=_("Where the widget may run, such as https://www.example.com."),
    )
    channels = models.JSONField(
        _("channels"), default=list, blank=True, help_text=_("Offered in this order. A form is always offered.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    accent = models.CharField(
        _("colour"), max_length=7, default="#1f5eff", help_text=_("Of the button and of what is chosen.")
    )
    on_accent = models.CharField(
        _("colour of the words on it"),
        max_length=7,
        default=WHITE,
        help_text=_("Must be readable on the colour: a contrast of 4.5 to 1."),
    )
    side = models.CharField(_("side of the page"), max_length=5, choices=Side, default=Side.RIGHT)
    scheme = models.CharField(_("light or dark"), max_length=5, choices=Scheme, default=Scheme.AUTO)
    offset = models.PositiveSmallIntegerField(
        _("distance from the edges"),
        default=20,
        validators=[MaxValueValidator(200)],
        help_text=_("In pixels, up to 200."),
    )
    texts = models.JSONField(_("texts"), default=dict, blank=True)
    hours_shown = models.BooleanField(
        _("tell when somebody is there next"),
        default=True,
        help_text=_("Out of hours, before the visitor writes. Whoever left a message is always told."),
    )
    fallback_url = models.CharField(
        _("link if the widget cannot reach us"),
        max_length=500,
        blank=True,
        validators=[validate_link],
        help_text=_("Your contact page, or an address such as mailto:hello@example.com or tel:+34911222333."),
    )
    asks_consent = models.BooleanField(
        _("ask for consent"), default=False, help_text=_("Before a message is sent; the visitor ticks a box.")
    )
    privacy_url = models.CharField(
        _("privacy policy"),
        max_length=500,
        blank=True,
        validators=[validate_web_address],
        help_text=_("Linked beside the consent, such as https://www.example.com/privacy."),
    )
    signing_secret = models.CharField(max_length=64, default=make_signing_secret, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="site_of_workspace")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        try:
            origins = [valid_origin(origin) for origin in check_texts(self.origins)]
            self.origins = list(dict.fromkeys(origins))
        except ValidationError as error:
            errors["origins"] = error
        try:
            ids = [channels.channel_named(name).id for name in check_texts(self.channels)]
            self.channels = list(dict.fromkeys(ids))
        except ValidationError as error:
            errors["channels"] = error
        except ValueError as error:
            errors["channels"] = str(error)
        for name in ("accent", "on_accent"):
            try:
                setattr(self, name, normal_colour(getattr(self, name)))
            except ValueError as error:
                errors[name] = str(error)
        if not errors.keys() & {"accent", "on_accent"} and (fault := unreadable(self.accent, self.on_accent)):
            errors["accent"] = fault
        try:
            self.texts = site_texts.checked(self.texts)
        except ValidationError as error:
            errors["texts"] = error
        if errors:
            raise ValidationError(errors)

    def allows_origin(self, origin: str) -> bool:
        """Whether this Origin header is one of the list: the same scheme, host and port, and nothing like them."""
        normal = normal_origin(origin)
        return normal is not None and normal in self.origins


def unreadable(accent: str, on_accent: str) -> str | None:
    """What is wrong with words of one colour on the other; None where everybody can read them."""
    ratio = contrast(accent, on_accent)
    if ratio >= WORDS:
        return None
    # Cut, not rounded: 4.49 is not enough, and must not be shown as 4.5.
    return _(
        "Words in %(on_accent)s on %(accent)s have a contrast of %(ratio)s to 1; people need 4.5 to 1 to read them"
        " (WCAG AA). Choose colours that are further apart."
    ) % {"accent": accent, "on_accent": on_accent, "ratio": int(ratio * 10) / 10}
