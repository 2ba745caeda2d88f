"""A rule as one sentence, for lists and the publish page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents import languages, places
from agents.channels import CHANNELS
from routing.engine.conditions import ATTRIBUTE_PREFIX, Kind, field_type
from routing.rulebook.conditions import Document

FIELD_LABELS: Mapping[str, Any] = {
    "channel": gettext_lazy("channel"),
    "source": gettext_lazy("source"),
    "language": gettext_lazy("language"),
    "country": gettext_lazy("country"),
    "region": gettext_lazy("region"),
    "city": gettext_lazy("city"),
    "page_url": gettext_lazy("page address"),
    "page_path": gettext_lazy("page path"),
    "page_host": gettext_lazy("page host"),
    "referrer": gettext_lazy("referrer"),
    "utm_source": gettext_lazy("UTM source"),
    "utm_medium": gettext_lazy("UTM medium"),
    "utm_campaign": gettext_lazy("UTM campaign"),
    "message": gettext_lazy("message"),
    "email_domain": gettext_lazy("e-mail domain"),
    "phone_country": gettext_lazy("phone country"),
    "returning": gettext_lazy("returning"),
    "score": gettext_lazy("score"),
    "intent": gettext_lazy("intent"),
    "weekday": gettext_lazy("weekday"),
    "local_time": gettext_lazy("local time"),
    "in_hours": gettext_lazy("in hours"),
}
OPERATOR_PHRASES: Mapping[str, Any] = {
    "is": gettext_lazy("%(field)s is %(value)s"),
    "is_not": gettext_lazy("%(field)s is not %(value)s"),
    "in": gettext_lazy("%(field)s is %(value)s"),
    "not_in": gettext_lazy("%(field)s is not %(value)s"),
    "contains": gettext_lazy("%(field)s contains %(value)s"),
    "not_contains": gettext_lazy("%(field)s does not contain %(value)s"),
    "starts_with": gettext_lazy("%(field)s starts with %(value)s"),
    "ends_with": gettext_lazy("%(field)s ends with %(value)s"),
    "matches": gettext_lazy("%(field)s matches %(value)s"),
    "gt": gettext_lazy("%(field)s is over %(value)s"),
    "gte": gettext_lazy("%(field)s is at least %(value)s"),
    "lt": gettext_lazy("%(field)s is under %(value)s"),
    "lte": gettext_lazy("%(field)s is at most %(value)s"),
    "between": gettext_lazy("%(field)s is from %(start)s to %(end)s"),
    "is_set": gettext_lazy("%(field)s is known"),
    "is_not_set": gettext_lazy("%(field)s is unknown"),
}
_TIME_PHRASES: Mapping[str, Any] = {
    "gt": gettext_lazy("%(field)s is after %(value)s"),
    "gte": gettext_lazy("%(field)s is %(value)s or later"),
    "lt": gettext_lazy("%(field)s is before %(value)s"),
    "lte": gettext_lazy("%(field)s is %(value)s or earlier"),
}
_FLAG_PHRASES: Mapping[tuple[str, bool], Any] = {
    ("returning", True): gettext_lazy("the contact is known"),
    ("returning", False): gettext_lazy("the contact is new"),
    ("in_hours", True): gettext_lazy("somebody is on shift"),
    ("in_hours", False): gettext_lazy("nobody is on shift"),
}
STRATEGY_PHRASES: Mapping[str, Any] = {
    "round_robin": gettext_lazy("taking turns"),
    "least_busy": gettext_lazy("the least busy first"),
    "priority": gettext_lazy("by priority"),
    "claim": gettext_lazy("whoever claims it first"),
}
IF_NOBODY_PHRASES: Mapping[str, Any] = {
    "next_rule": gettext_lazy("nobody there: the next rule"),
    "on_call": gettext_lazy("nobody there: whoever is on call"),
    "hold": gettext_lazy("nobody there: hold until somebody is"),
    "queue": gettext_lazy("nobody there: the nurture queue"),
    "fallback": gettext_lazy("nobody there: the fallback agent"),
}
_WISHES: Mapping[str, Any] = {
    "language": gettext_lazy("the language"),
    "channel": gettext_lazy("the channel"),
    "territory": gettext_lazy("the territory"),
}
WEEKDAY_LABELS: Mapping[str, Any] = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}
INTENT_LABELS: Mapping[str, Any] = {
    "hot": gettext_lazy("hot"),
    "warm": gettext_lazy("warm"),
    "cold": gettext_lazy("cold"),
}
SOURCE_LABELS: Mapping[str, Any] = {
    "widget": gettext_lazy("website widget"),
    "form": gettext_lazy("web form"),
    "phone": gettext_lazy("phone system"),
    "whatsapp": gettext_lazy("WhatsApp"),
    "telegram": gettext_lazy("Telegram"),
    "email": gettext_lazy("e-mail"),
    "api": gettext_lazy("API"),
}
_SHOWN = 5  # values of a long list
_LONGEST_SHOWN = 80  # characters of a lead's text


def in_words(rule: Document, *, target: str | None = None) -> str:
    """`When country is Spain or Portugal → team Iberia, taking turns; nobody there: hold until somebody is`.

    `rule` is a normal-form rule; `target` is the name of its team or agent, where that is known.
    """
    return _("%(when)s → %(route)s") % {
        "when": when_in_words(rule.get("when")),
        "route": route_in_words(rule["route"], target=target),
    }


def when_in_words(when: Mapping[str, Any] | None) -> str:
    if when is None:
        return _("Always")
    if "all" in when:
        return _("When %(conditions)s") % {"conditions": _all(when["all"])}
    parts = []
    for member in when["any"]:
        group = member.get("all", [member])
        parts.append(f"({_all(group)})" if len(group) > 1 and len(when["any"]) > 1 else _all(group))
    return _("When %(conditions)s") % {"conditions": _(" or ").join(parts)}


def target_in_words(route: Mapping[str, Any], *, target: str | None = None) -> str:
    """To whom a rule sends leads. `target` is the name of its team or agent, where that is known."""
    to = route["to"]
    if to == "queue":
        return _("the nurture queue")
    return _("team %(name)s") % {"name": target or to["team"]} if "team" in to else target or str(to["agent"])


def manner_in_words(route: Mapping[str, Any]) -> str:
    """How one is chosen, and what becomes of leads that find nobody; empty for the nurture queue."""
    if route["to"] == "queue":
        return ""
    parts = [str(STRATEGY_PHRASES[route["by"]])] if "by" in route else []
    if wishes := route["require"]:
        parts.append(_("only who has %(wishes)s") % {"wishes": _(" and ").join(map(_wish, wishes))})
    if wishes := route["prefer"]:
        parts.append(_("rather who has %(wishes)s") % {"wishes": _(", then ").join(map(_wish, wishes))})
    return "; ".join([*parts, str(IF_NOBODY_PHRASES[route["if_nobody"]])])


def route_in_words(route: Mapping[str, Any], *, target: str | None = None) -> str:
    named, manner = target_in_words(route, target=target), manner_in_words(route)
    if not manner:
        return named
    return f"{named}, {manner}" if "by" in route else f"{named}; {manner}"


def condition_in_words(condition: Mapping[str, Any]) -> str:
    field, op, value = condition["field"], condition["op"], condition.get("value")
    type_ = field_type(field)
    kind = type_.kind if type_ else Kind.TEXT
    if kind is Kind.FLAG and isinstance(value, bool):
        return str(_FLAG_PHRASES[field, value is (op == "is")])
    phrase = (_TIME_PHRASES if kind is Kind.TIME else OPERATOR_PHRASES).get(op) or OPERATOR_PHRASES[op]
    show = _SHOW.get(field) or (_quoted if kind in (Kind.TEXT, Kind.ATTRIBUTE) else str)
    words: dict[str, Any] = {"field": field_in_words(field)}
    if op == "between":
        words["start"], words["end"] = condition["value"]
    elif op in ("gt", "gte", "lt", "lte"):
        words["value"] = value
    elif value is not None:
        words["value"] = _either([show(one) for one in value]) if isinstance(value, list | tuple) else show(value)
    return phrase % words


def value_in_words(field: str, value: Any) -> str:
    """A lead's value as people say it: `ES` as Spain; texts in quotation marks, cut where they are long."""
    show = _SHOW.get(field)
    if show is not None and isinstance(value, str):
        return show(value)
    if isinstance(value, str) and field != "local_time":
        text = " ".join(value.split())
        return _quoted(text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…")
    return str(value)


def field_in_words(field: str) -> str:
    if field.startswith(ATTRIBUTE_PREFIX):
        return field.removeprefix(ATTRIBUTE_PREFIX)
    return str(FIELD_LABELS[field])


def _all(conditions: list[Document]) -> str:
    return _(" and ").join(map(condition_in_words, conditions))


def _either(values: list[str]) -> str:
    if len(values) == 1:
        return values[0]
    last = values[-1]
    if len(values) > _SHOWN:
        last = _("%(count)s more") % {"count": len(values) - _SHOWN + 1}
    return _("%(first)s or %(last)s") % {"first": ", ".join(values[: min(len(values), _SHOWN) - 1]), "last": last}


def _wish(wish: str) -> str:
    return str(_WISHES.get(wish) or _("the tag “%(tag)s”") % {"tag": wish.removeprefix("tags:")})


def _quoted(value: Any) -> str:
    return _("“%(text)s”") % {"text": value}


def _channel(value: str) -> str:
    channel = CHANNELS.get(value)
    return str(channel.label) if channel else value


_SHOW: Mapping[str, Callable[[str], str]] = {
    "channel": _channel,
    "country": places.country_name,
    "phone_country": places.country_name,
    "region": places.territory_name,
    "language": languages.language_name,
    "weekday": lambda value: str(WEEKDAY_LABELS.get(value, value)),
    "source": lambda value: str(SOURCE_LABELS.get(value, value)),
    "intent": lambda value: str(INTENT_LABELS.get(value, value)),
}
