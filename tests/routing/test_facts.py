"""What a submission says becomes facts; what it does not say stays unknown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.engine.facts import Facts, LanguageTag
from routing.facts import build_facts, facts_from_json, facts_to_json, language_tag, split_address

URL = "https://User@WWW.Example.com:8443/Pricing/eu?utm_source=News%20letter&UTM_Campaign=a+b&utm_source=x&q=1#top"


def values(**submission):
    return dict(build_facts(**submission).values)


class TestBuildFacts:
    def test_takes_the_pages_parts_from_its_address(self):
        assert values(page_url=URL) == {
            "page_url": URL,
            "page_path": "/Pricing/eu",
            "page_host": "www.example.com",
            "utm_source": "News letter",
            "utm_campaign": "a b",
        }

    def test_keeps_parts_that_are_given(self):
        found = values(page_url=URL, page_path="/own", page_host="own.test", utm_source="own")

        assert (found["page_path"], found["page_host"], found["utm_source"]) == ("/own", "own.test", "own")
        assert found["utm_campaign"] == "a b"

    def test_takes_domain_and_country_from_the_contact(self):
        assert values(email="Ana@GMail.com", phone="+34600111222") == {
            "email_domain": "gmail.com",
            "phone_country": "ES",
        }

    def test_a_region_implies_its_country_and_a_given_country_stands(self):
        assert values(region="us-ca") == {"region": "US-CA", "country": "US"}
        assert values(region="US-PR", country="pr") == {"region": "US-PR", "country": "PR"}

    def test_nothing_and_blank_are_unknown(self):
        assert build_facts(
            channel=None, city="", message="  ", page_url=" ", email="nobody", phone="", attributes={"a": None, "b": ""}
        ) == Facts({}, None)

    def test_attributes_are_text(self):
        attributes = {"plan": "Pro", "seats": 50, "whole": 3.0, "half": 0.5, "vip": True, "list": ["a", 1]}

        assert values(attributes=attributes) == {
            "attributes.plan": "Pro",
            "attributes.seats": "50",
            "attributes.whole": "3",
            "attributes.half": "0.5",
            "attributes.vip": "true",
            "attributes.list": '["a", 1]',
        }

    def test_the_language_is_kept_with_its_likely_scripts(self):
        facts = build_facts(language="zh_tw")

        assert facts.language == LanguageTag("zh-TW", "zh", "Hant", "Hans")
        assert facts.values["language"] == "zh-TW"

    def test_what_is_no_language_is_refused(self):
        with pytest.raises(ValueError, match="language"):
            build_facts(language="!!")

    def test_what_a_database_refuses_to_store_is_taken_out(self):
        assert values(message="a\x00b \ud800") == {"message": "ab ?"}

    def test_only_what_is_needed_is_worked_out(self):
        submission = {"page_url": URL, "email": "a@b.test", "phone": "+34600111222", "city": "Rome", "language": "es"}

        assert values(**submission, needed={"page_path", "city"}) == {
            "page_path": "/Pricing/eu",
            "city": "Rome",
            "language": "es",
        }


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://example.com", "example.com", "/"),
        ("https://example.com?x=1", "example.com", "/"),
        ("http://[::1]:8000/a", "[::1]", "/a"),
        ("http://[::1/a", "[::1]", "/a"),
        ("//cdn.example.com/a/b", "cdn.example.com", "/a/b"),
        ("example.com./a", "example.com", "/a"),
        ("/pricing?x", "", "/pricing"),
        ("pricing", "", "/pricing"),
        ("?x=1", "", ""),
        ("https://", "", "/"),
    ],
)
def test_an_address_is_split_as_a_browser_does(url, host, path):
    assert split_address(url)[:2] == (host, path)


@given(url=st.text() | st.text(alphabet="htps:/?#[]@.%&=utm_source"))
def test_no_address_is_too_strange(url):
    for value in build_facts(page_url=url).values.values():
        assert value == value.strip() != ""
        value.encode()


def test_an_absurd_number_of_parameters_is_no_campaign():
    assert "utm_source" not in values(page_url="https://x.test/?" + "a=1&" * 1_000 + "utm_source=x")


scalars = st.text() | st.booleans() | st.integers()


@given(
    facts=st.builds(
        Facts,
        st.dictionaries(st.text(), scalars),
        st.none() | st.sampled_from(["es", "zh-TW", "sr-Latn-RS"]).map(language_tag),
    )
)
def test_facts_come_back_from_json_exactly(facts):
    back = facts_from_json(json.loads(json.dumps(facts_to_json(facts))))

    assert back == facts
    assert [type(value) for value in back.values.values()] == [type(value) for value in facts.values.values()]
