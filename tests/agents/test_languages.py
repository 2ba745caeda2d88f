"""Languages by their tags."""

import pytest

from agents.languages import canonical_tag, canonical_tags, language_name, likely_script, own_name


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("es", "es"),
        ("ES", "es"),
        (" es ", "es"),
        ("pt_br", "pt-BR"),
        ("zh-tw", "zh-TW"),
        ("ZH_hant_tw", "zh-Hant-TW"),
        ("sr-latn", "sr-Latn"),
        ("es-419", "es-419"),
        ("gsw", "gsw"),
        ("no", "no"),
        ("iw-il", "he-IL"),
        ("zh-yue-hk", "zh-yue-HK"),
        ("de-ch-1996", "de-CH-1996"),
        ("ca-es-valencia", "ca-ES-valencia"),
        ("en-us-u-ca-gregory", "en-US-u-ca-gregory"),
        ("en-x-custom", "en-x-custom"),
    ],
)
def test_a_tag_has_one_form(written, canonical):
    assert canonical_tag(written) == canonical
    assert canonical_tag(canonical) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "", "*", "e", "español", "english", "qq", "es-XX", "es-ZZ", "es-Abcd", "es-", "-es", "es--ES", "es ES",
        "es;q=0.9", "x-custom", "und", "ｅｓ", "es\n-ES", "es-\u200bES", "en-" + "a" * 40, "1s",
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(written):
    with pytest.raises(ValueError, match=r"Write one like"):
        canonical_tag(written)


def test_a_list_names_each_language_once_in_order():
    assert canonical_tags(["pt_BR", "es", "PT-br"]) == ["pt-BR", "es"]


@pytest.mark.parametrize(
    ("tag", "script"),
    [
        ("zh", "Hans"), ("zh-CN", "Hans"), ("zh-SG", "Hans"), ("zh-TW", "Hant"), ("zh-HK", "Hant"), ("zh-Hant", "Hant"),
        ("zh-Hans-TW", "Hans"), ("sr", "Cyrl"), ("sr-ME", "Latn"), ("sr-Latn", "Latn"), ("en", "Latn"),
        ("pt-BR", "Latn"),
        ("es-419", "Latn"), ("pa-PK", "Arab"), ("ru", "Cyrl"), ("he", "Hebr"), ("de-CH-1996", "Latn"),
    ],
)  # fmt: skip
def test_the_likely_script_follows_language_and_region(tag, script):
    assert likely_script(tag) == script


def test_languages_have_names_for_people():
    assert language_name("pt-BR", "en") == "Portuguese (Brazil)"
    assert language_name("es", "es") == "español"
    assert own_name("de") == "Deutsch"
    assert language_name("tlh", "en") == "Klingon"
    assert language_name("xyz", "en") == "xyz"
