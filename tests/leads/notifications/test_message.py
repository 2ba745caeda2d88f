"""What people read, in text and in HTML, whoever wrote the values in it."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest

from leads.notifications.message import MAX_LEADS, Kind, in_words
from tests.leads.notifications.messages import AT, LEAD, message

TITLES = {
    Kind.ASSIGNED: "New lead: Ana Gil on WhatsApp",
    Kind.DIGEST: "A lead is waiting for you",
    Kind.REMINDER: "Ana Gil is still waiting: 3 min left",
    Kind.ESCALATION: "Ana Gil has waited 2 min for an answer",
    Kind.OFFER: "Who takes Ana Gil on WhatsApp?",
    Kind.REROUTED_AWAY: "Ana Gil went to João Lima",
    Kind.PAGE: "On call: Ana Gil needs an answer now",
    Kind.COVERAGE_WARNING: "Coming hours without anybody to take leads",
    Kind.TROUBLE: "A lead has no agent: Ana Gil",
    Kind.PROMISE_LATE: "Ana Gil was promised an answer and has none",
    Kind.TRIAL: "A trial: this is how you are told",
}
GISTS = {
    Kind.ASSIGNED: "Ana Gil is waiting for you. Answer by Mon 2 Mar, 10:05.",
    Kind.ESCALATION: "Marta Ruiz has the lead and has not answered.",
    Kind.OFFER: "The first to take the lead has it. The offer ends at 10:05.",
    Kind.PAGE: "Say by 10:10 that you have it, or the next in line is woken.",
    Kind.TROUBLE: "Nobody of the team has a Signal handle.",
}


class Page(HTMLParser):
    """The tags of a page, its links, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("kind", Kind)
class TestEveryKind:
    def test_says_in_its_title_what_happened(self, kind):
        assert message(kind).title == TITLES[kind]

    def test_says_the_same_in_text_and_html(self, kind):
        made = message(kind)
        page = Page(made.html)

        assert made.gist == GISTS.get(kind, made.gist)
        assert made.gist
        assert made.title in page.text
        assert made.gist in page.text
        if kind not in (Kind.COVERAGE_WARNING, Kind.TRIAL):
            assert "¿cuánto cuesta?" in page.text
            assert "¿cuánto cuesta?" in made.text

    def test_keeps_what_a_visitor_wrote_from_becoming_markup(self, kind):
        script = "<script>alert(1)</script><img src=x onerror=alert(1)>"
        plain, hostile = (
            message(kind, lead=dict.fromkeys(("name", "message", "contact", "page"), text), why=text, holder=text,
                    workspace={"name": text}, taker=text)
            for text in ("Ana", script)
        )  # fmt: skip

        assert Page(hostile.html).tags == Page(plain.html).tags
        assert Page(hostile.html).links == Page(plain.html).links
        assert "&lt;" not in hostile.text + hostile.title

    def test_has_a_title_of_one_line(self, kind):
        title = message(kind, lead={"name": "Ana\r\nBcc: everybody@example.com\n" + "x" * 500}).title

        assert "\n" not in title
        assert "\r" not in title
        assert len(title) <= 150

    def test_holds_no_link_in_its_text(self, kind):
        assert "leads.example.com" not in message(kind).text
        assert "wa.me" not in message(kind).text

    def test_does_without_what_is_not_known(self, kind):
        lead = dict.fromkeys(LEAD, "") | {"reference": "K7P2QX", "received_at": None, "waited_s": 0}
        unknown = message(
            kind, lead=lead, respond_by=None, acknowledge_by=None, holder="", taker="", why="", actions=[]
        )

        assert "None" not in unknown.text + unknown.title + unknown.html
        if "lead" in TITLES[kind] or "Ana" in TITLES[kind]:
            assert "Somebody" in unknown.title + unknown.text or kind is Kind.COVERAGE_WARNING


class TestTimes:
    def test_are_on_the_recipients_wall_clock(self):
        assert "Received: Mon 2 Mar, 09:58" in message().text
        assert "Tue 3 Mar, 10:00 – Tue 3 Mar, 18:00" in message(Kind.COVERAGE_WARNING).text

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(0, "0 s"), (59, "59 s"), (60, "1 min"), (119, "1 min"), (3_600, "1 h"), (7_500, "2 h 5 min"),
         (86_400, "1 d"), (100_000, "1 d 3 h"), (-90, "1 min")],
    )  # fmt: skip
    def test_that_passed_are_in_words(self, seconds, words):
        assert in_words(seconds) == words

    def test_that_are_over_are_said_to_be(self):
        assert message(Kind.REMINDER, left_s=-30).title == "Ana Gil is still waiting: the time is over"


class TestLinks:
    def test_first_answer_the_visitor_then_act_then_open_the_lead(self):
        made = message()

        assert [action.label for action in made.actions] == ["Reply on WhatsApp", "I have answered"]
        assert Page(made.html).links == [
            "https://wa.me/34600111222?text=Hola",
            "https://leads.example.com/do/secret-token",
            "https://leads.example.com/inbox/K7P2QX",
            "https://leads.example.com/inbox/settings",
        ]

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "data:text/html,x", "https://a\nb", '//x"', "/inbox", " https://x"]
    )
    def test_of_other_kinds_are_refused(self, url):
        for wrong in ({"url": url}, {"lead": {"reply_url": url}}, {"actions": [{"label": "x", "url": url}]}):
            with pytest.raises(ValueError, match="no link"):
                message(**wrong)


class TestText:
    def test_of_a_visitor_cannot_turn_the_direction_of_what_follows(self):
        made = message(lead={"name": "Ana\u202egpj.exe\x00\x1b[31m"})

        assert made.title == "New lead: Anagpj.exe [31m on WhatsApp"

    def test_of_a_visitor_is_quoted_line_by_line_and_cut(self):
        made = message(lead={"message": "one\ntwo\n" + "x" * 5_000})

        assert "> one\n> two\n> xxx" in made.text
        assert len(made.text) < 1_000

    def test_in_scripts_that_need_joiners_keeps_them(self):
        assert "می‌خواهم" in message(lead={"message": "می‌خواهم"}).text

    def test_is_in_the_recipients_language_and_direction(self):
        assert 'lang="es" dir="ltr"' in message(language="es").html
        assert 'lang="ar" dir="rtl"' in message(language="ar").html


class TestDigest:
    def test_lists_the_oldest_and_counts_the_rest(self):
        leads = [LEAD | {"name": f"Lead {n}", "received_at": AT - timedelta(hours=40 - n)} for n in range(40)]
        made = message(Kind.DIGEST, leads=leads)

        assert made.title == "40 leads are waiting for you"
        assert "1. Lead 0 · WhatsApp" in made.text
        assert f"Lead {MAX_LEADS - 1} " in made.text
        assert f"Lead {MAX_LEADS} " not in made.text
        assert made.text.endswith(f"and {40 - MAX_LEADS} more")
        assert f"and {40 - MAX_LEADS} more" in Page(made.html).text

    def test_counts_those_it_was_not_even_given(self):
        assert message(Kind.DIGEST, total=300).title == "300 leads are waiting for you"


def test_the_page_follows_the_readers_dark_mode_and_loads_nothing():
    html = message().html

    assert "prefers-color-scheme: dark" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert not {"img", "script", "link", "iframe"} & set(Page(html).tags)
