"""The words of the sample customer's page. They are the customer's, not the product's, so they are data."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "name": "English",
        "title": "Your roof pays for itself",
        "lead": "Solana plans, installs and looks after solar roofs in eleven countries. Ask a person, not a form.",
        "one": "Planned in a day",
        "one_more": "Tell us your address and your bill. We answer with a drawing and a price.",
        "two": "Installed by our own people",
        "two_more": "No subcontractors. The person you talk to knows the person on your roof.",
        "three": "Looked after for 25 years",
        "three_more": "We see a fault before you do, and call you first.",
        "pricing": "See prices",
    },
    "es": {
        "name": "Español",
        "title": "Tu tejado se paga solo",
        "lead": (
            "Solana diseña, instala y cuida tejados solares en once países. Pregunta a una persona, no a un formulario."
        ),
        "one": "Diseñado en un día",
        "one_more": "Dinos tu dirección y tu factura. Te respondemos con un plano y un precio.",
        "two": "Instalado por nuestra gente",
        "two_more": "Sin subcontratas. Quien habla contigo conoce a quien sube a tu tejado.",
        "three": "Cuidado durante 25 años",
        "three_more": "Vemos el fallo antes que tú, y te llamamos primero.",
        "pricing": "Ver precios",
    },
    "fr": {
        "name": "Français",
        "title": "Votre toit se rembourse tout seul",
        "lead": (
            "Solana conçoit, installe et entretient des toits solaires dans onze pays. Parlez à "
            "quelqu’un, pas à un formulaire."
        ),
        "one": "Conçu en un jour",
        "one_more": "Donnez-nous votre adresse et votre facture. Nous répondons avec un plan et un prix.",
        "two": "Installé par nos équipes",
        "two_more": "Aucun sous-traitant. Votre interlocuteur connaît la personne sur votre toit.",
        "three": "Entretenu pendant 25 ans",
        "three_more": "Nous voyons la panne avant vous, et nous appelons les premiers.",
        "pricing": "Voir les prix",
    },
    "de": {
        "name": "Deutsch",
        "title": "Ihr Dach bezahlt sich selbst",
        "lead": "Solana plant, baut und betreut Solardächer in elf Ländern. Fragen Sie einen Menschen, kein Formular.",
        "one": "An einem Tag geplant",
        "one_more": "Nennen Sie uns Adresse und Stromrechnung. Wir antworten mit Plan und Preis.",
        "two": "Von eigenen Leuten gebaut",
        "two_more": "Keine Subunternehmer. Wer mit Ihnen spricht, kennt, wer auf Ihrem Dach steht.",
        "three": "25 Jahre lang betreut",
        "three_more": "Wir sehen den Fehler vor Ihnen und rufen zuerst an.",
        "pricing": "Preise ansehen",
    },
    "pt": {
        "name": "Português",
        "title": "O seu telhado paga-se sozinho",
        "lead": (
            "A Solana projeta, instala e cuida de telhados solares em onze países. Fale com uma "
            "pessoa, não com um formulário."
        ),
        "one": "Projetado num dia",
        "one_more": "Diga-nos a morada e a fatura. Respondemos com um desenho e um preço.",
        "two": "Instalado pela nossa equipa",
        "two_more": "Sem subempreiteiros. Quem fala consigo conhece quem sobe ao seu telhado.",
        "three": "Cuidado durante 25 anos",
        "three_more": "Vemos a avaria antes de si, e ligamos primeiro.",
        "pricing": "Ver preços",
    },
}
LANGUAGES = tuple(TEXTS)
