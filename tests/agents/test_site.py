"""What a site may look like and say."""

import re

import pytest
from django.core.exceptions import ValidationError

from agents.channel_icons import ICONS
from agents.channels import CHANNELS
from agents.colours import contrast, ink_on, normal_colour
from agents.models import Site, Workspace
from agents.validators import validate_link, validate_web_address


class TestColours:
    # Ratios as other calculators give them.
    @pytest.mark.parametrize(
        ("one", "other", "ratio"),
        [
            ("#ffffff", "#000000", 21.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#0000ff", "#ffffff", 8.59),
            ("#123456", "#123456", 1.0),
        ],
    )
    def test_contrast_is_wcags(self, one, other, ratio):
        assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)

    @pytest.mark.parametrize("text", ["#1F5EFF", "1f5eff", " #1f5eff "])
    def test_one_colour_has_one_form(self, text):
        assert normal_colour(text) == "#1f5eff"

    def test_short_forms_are_written_out(self):
        assert normal_colour("#0aF") == "#00aaff"

    @pytest.mark.parametrize("text", ["", "blue", "#12345", "#1f5ef\uff11", "#1f5eff;x", "rgb(0,0,0)"])
    def test_anything_else_is_refused(self, text):
        with pytest.raises(ValueError, match="Write it like #1f5eff"):
            normal_colour(text)


class TestIcons:
    def test_every_channel_has_one(self):
        assert set(ICONS) == set(CHANNELS)

    @pytest.mark.parametrize("icon", ICONS.values(), ids=ICONS)
    def test_is_one_path_that_is_seen_on_its_tile(self, icon):
        assert re.fullmatch(r"[MmLlHhVvCcSsQqTtAaZz0-9.,\s-]+", icon.path)
        assert contrast(icon.fill, icon.ink) >= 3
        assert icon.ink == ink_on(icon.fill)


class TestLinks:
    @pytest.mark.parametrize(
        "text", ["https://www.example.com/contact?x=1", "mailto:hello@example.com", "tel:+34911222333"]
    )
    def test_lead_visitors_on(self, text):
        validate_link(text)

    @pytest.mark.parametrize(
        "text",
        [
            "javascript:alert(1)",
            "http://www.example.com",
            "https://",
            "https:///x",
            "https://user:pw@evil.test",
            "https://[::1",
            "//evil.test",
            "data:text/html,x",
            "https://www.example.com/\n",
            "https://www.example.com/ x",
            'https://www.example.com/"onclick',
            "https://www.exаmple.com",  # a Cyrillic letter
            "mailto:",
            "mailto://evil.test",
            "tel:",
            "contact",
        ],
    )
    def test_nothing_else_does(self, text):
        with pytest.raises(ValidationError, match="Write one such as https://"):
            validate_link(text)

    def test_a_privacy_policy_is_a_page(self):
        with pytest.raises(ValidationError):
            validate_web_address("tel:+34911222333")


def errors_of(**values):
    site = Site(workspace=Workspace(pk=1), name="Main", **values)
    try:
        site.clean()
    except ValidationError as refused:
        return refused.message_dict
    return {}


class TestAsAWhole:
    def test_colours_that_cannot_be_read_are_refused_with_the_ratio(self):
        (message,) = errors_of(accent="#ffee00")["accent"]

        assert message.startswith("Words in #ffffff on #ffee00 have a contrast of 1.2 to 1; people need 4.5 to 1")
        assert message.endswith("Choose colours that are further apart.")

    def test_one_that_misses_it_by_a_hair_is_not_shown_as_enough(self):
        assert "contrast of 4.4 to 1" in errors_of(accent="#777777")["accent"][0]

    def test_dark_words_on_a_light_colour_are_fine(self):
        assert errors_of(accent="#fe0", on_accent="000") == {}

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            ([], "Write the texts by language"),
            ({"es": "Hola"}, "Write the texts by language"),
            ({"xx": {"title": "Hola"}}, "There is no language “xx”"),
            ({"es": {"tilte": "Hola"}}, "There is no text “tilte”. Choose from: launcher, title"),
            ({"es": {"title": 7}}, "must be a text"),
            ({"es": {"title": "Ho\u202ela"}}, "without control or invisible characters"),
            ({"es": {"title": "x" * 81}}, "“Greeting” may have 80 characters; this has 81."),
        ],
    )
    def test_texts_are_by_language_and_name(self, texts, message):
        assert message in errors_of(texts=texts)["texts"][0]

    def test_texts_are_kept_under_canonical_tags_without_the_empty_ones(self):
        site = Site(workspace=Workspace(pk=1), name="Main", texts={"pt_br": {"title": " Olá ", "away": " "}, "es": {}})
        site.clean()

        assert site.texts == {"pt-BR": {"title": "Olá"}}

    def test_every_site_has_a_secret_of_its_own(self):
        one, other = Site(), Site()

        assert len(one.signing_secret) == 64
        assert one.signing_secret != other.signing_secret
