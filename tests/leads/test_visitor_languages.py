"""What visitors are told, in their own language."""

from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import pofile
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, ngettext

from leads.promises import VISITOR_LANGUAGES, spoken

CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es-MX", "es"),
        ("pt-BR", "pt"),
        ("de", "de"),
        ("fa-AF", "fa"),
        ("zh-TW", "zh-hant"),
        ("zh", "zh-hans"),
        ("ca", "en"),
        ("", "en"),
    ],
)
def test_the_nearest_language_of_ours_is_spoken(tag, language):
    assert spoken(tag) == language


def test_every_language_for_visitors_has_a_catalogue():
    assert {path.parts[-3].lower().replace("_", "-") for path in CATALOGUES} | {"en"} == VISITOR_LANGUAGES


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_catalogues_are_whole_and_compiled_from_their_source(path):
    with path.open("rb") as file:
        catalogue = pofile.read_po(file)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)

    messages = [message for message in catalogue if message.id]
    assert messages
    for message in messages:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings)
        assert len(ids) == 1 or len(strings) == catalogue.num_plurals
        of_one = compiled.gettext(ids[0]) if len(ids) == 1 else compiled.ngettext(*ids, 1)
        assert of_one in strings, "run `make messages`"
        assert not list(message.check(catalogue))


def test_every_catalogue_says_the_same_things():
    said = {
        path.parts[-3]: {message.id for message in pofile.read_po(BytesIO(path.read_bytes()))} for path in CATALOGUES
    }

    assert all(ids == said["es"] for ids in said.values())


def test_numbers_take_the_forms_that_a_language_has():
    with translation.override("pl"):
        assert [ngettext("One person is here now.", "%(number)d people are here now.", n) for n in (1, 3, 5)] == [
            "Teraz jest jedna osoba.",
            "Teraz są %(number)d osoby.",
            "Teraz jest %(number)d osób.",
        ]


def test_a_spanish_visitor_is_promised_an_answer_in_spanish():
    with translation.override(spoken("es-ES")):
        assert gettext("%(name)s takes care of you now.") % {"name": "Marta"} == "Marta te atiende ahora mismo."
