"""What visitors are told, in their own language."""

from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages import pofile
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from leads.promises import VISITOR_LANGUAGES, spoken

CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))


@pytest.mark.parametrize(
    ("tag", "language"), [("es-MX", "es"), ("pt-BR", "pt"), ("de", "de"), ("ja", "en"), ("", "en")]
)
def test_the_nearest_language_of_ours_is_spoken(tag, language):
    assert spoken(tag) == language


def test_every_language_for_visitors_has_a_catalogue():
    assert {path.parts[-3] for path in CATALOGUES} | {"en"} == VISITOR_LANGUAGES


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_catalogues_are_whole_and_compiled_from_their_source(path):
    with path.open("rb") as file:
        catalogue = pofile.read_po(file)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)

    messages = [message for message in catalogue if message.id]
    assert messages
    for message in messages:
        assert message.string
        assert compiled.gettext(message.id) == message.string, "run `make messages`"
        assert not list(message.check(catalogue))


def test_a_spanish_visitor_is_promised_an_answer_in_spanish():
    with translation.override(spoken("es-ES")):
        assert gettext("%(name)s takes care of you now.") % {"name": "Marta"} == "Marta te atiende ahora mismo."
