"""Messages as they are sent: Ana waits, Marta is told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from leads.notifications.message import Kind, render

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Madrid
ID = UUID("0b6f3c1e-58a1-4a0e-9d0b-3f3a5b0c7d11")
LEAD = {
    "reference": "K7P2QX",
    "name": "Ana Gil",
    "contact": "+34 600 111 222",
    "channel": "WhatsApp",
    "language": "Spanish",
    "country": "Spain",
    "page": "https://www.example.com/pricing",
    "message": "Hola, ¿cuánto cuesta?\nGracias",
    "received_at": AT - timedelta(minutes=2),
    "waited_s": 125,
    "url": "https://leads.example.com/inbox/K7P2QX",
    "reply_url": "https://wa.me/34600111222?text=Hola",
}
CONTEXT = {
    "workspace": {"name": "Acme"},
    "url": "https://leads.example.com/inbox/K7P2QX",
    "settings_url": "https://leads.example.com/inbox/settings",
    "actions": [{"label": "I have answered", "url": "https://leads.example.com/do/secret-token"}],
    "lead": LEAD,
    "leads": [LEAD],
    "respond_by": AT + timedelta(minutes=5),
    "left_s": 180,
    "holder": "Marta Ruiz",
    "until_at": AT + timedelta(minutes=5),
    "taker": "João Lima",
    "acknowledge_by": AT + timedelta(minutes=10),
    "gaps": [{"starts_at": AT + timedelta(days=1), "ends_at": AT + timedelta(days=1, hours=8), "leads": 3.5,
              "why": "Holiday"}],
    "why": "Nobody of the team has a Signal handle.",
}  # fmt: skip


def message(kind=Kind.ASSIGNED, *, language="en", lead=None, **context):
    values = CONTEXT | ({"lead": LEAD | lead, "leads": [LEAD | lead]} if lead else {}) | context
    return render(message_id=ID, kind=kind, context=values, language=language, zone="Europe/Madrid", at=AT)
