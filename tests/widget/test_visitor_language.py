import pytest

from widget.visitor_language import offered_variant, visitor_language


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es-MX"),
        ("fr-FR,fr;q=0.9,en-GB;q=0.7,es;q=0.6", "en-GB"),
        ("en;q=0.5, es ; q=0.9", "es"),
        ("EN-us", "EN-us"),
        ("es;q=0, en;q=0.1", "en"),
        ("de, fr", "es"),
        ("*", "es"),
        ("", "es"),
        ("es_MX;q=high,,;;,\x00", "es"),
        ("en;q=0.9,es;q=0.9", "en"),
    ],
)
def test_takes_the_first_language_that_is_offered_as_it_was_sent(header, chosen):
    assert visitor_language(header, ["es", "en-GB"]) == chosen


def test_a_long_header_is_read_no_further_than_twenty_ranges():
    assert visitor_language(",".join(["fr"] * 20 + ["en"]), ["es", "en"]) == "es"


@pytest.mark.parametrize(("tag", "variant"), [("es-MX", "es"), ("PT-br", "pt-BR"), ("pt", "pt-BR"), ("ja", "es")])
def test_texts_are_those_of_the_offered_tag_of_the_same_language(tag, variant):
    assert offered_variant(tag, ["es", "pt-BR"]) == variant
