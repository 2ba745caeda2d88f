"""Names of channels as visitors read them, where the channel is not a brand."""

from agents.channels import CHANNELS

_LABELS = {
    "en": {"form": "Leave a message", "phone": "Phone", "email": "E-mail"},
    "es": {"form": "Dejar un mensaje", "phone": "Teléfono", "email": "Correo electrónico"},
    "pt": {"form": "Deixar uma mensagem", "phone": "Telefone", "email": "E-mail"},
    "fr": {"form": "Laisser un message", "phone": "Téléphone", "email": "E-mail"},
    "de": {"form": "Nachricht hinterlassen", "phone": "Telefon", "email": "E-Mail"},
}


def channel_label(channel: str, tag: str) -> str:
    """In the language of a BCP 47 tag; in English where there is none."""
    labels = _LABELS.get(tag.split("-")[0].lower(), _LABELS["en"])
    return labels.get(channel) or str(CHANNELS[channel].label)
