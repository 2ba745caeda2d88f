"""What becomes a link, and what never does."""

import re

import pytest

from agents.channels import CHANNELS, channel_named

PHONE = "+34600111222"
TEXT = "Hola, ¿qué tal? 50% & más\nAB12"
ENCODED = "Hola%2C%20%C2%BFqu%C3%A9%20tal%3F%2050%25%20%26%20m%C3%A1s%0AAB12"
UUID = "5d3e2a10-8c1f-4b5e-9d27-0a6b7c8d9e0f"
TOKEN = "aB3_-" * 10
SIGNAL_TOKEN = "https://signal.me/#eu/" + TOKEN

# (channel, as typed, in its normal form, link)
LINKS = [
    ("whatsapp", " +34 600 11 12 22 ", PHONE, f"https://wa.me/34600111222?text={ENCODED}"),
    ("whatsapp", "600 111 222", PHONE, f"https://wa.me/34600111222?text={ENCODED}"),
    ("telegram", "@marta_acme", "marta_acme", f"https://t.me/marta_acme?text={ENCODED}"),
    ("telegram_bot", "@AcmeBot", "AcmeBot", "https://t.me/AcmeBot?start=AB12"),
    ("phone", "+34 (600) 111-222", PHONE, "tel:+34600111222"),
    ("sms", PHONE, PHONE, f"sms:+34600111222?body={ENCODED}"),
    ("email", " Marta@Example.com", "marta@example.com", f"mailto:marta@example.com?subject=Hi%20there&body={ENCODED}"),
    ("email", "a%b&c?d@e.com", "a%b&c?d@e.com", f"mailto:a%25b%26c%3Fd@e.com?subject=Hi%20there&body={ENCODED}"),
    ("messenger", "acme.page", "acme.page", "https://m.me/acme.page?ref=AB12"),
    ("messenger", "1234567890", "1234567890", "https://m.me/1234567890?ref=AB12"),
    ("instagram", "@acme.es", "acme.es", "https://ig.me/m/acme.es?ref=AB12"),
    ("viber", PHONE, PHONE, "viber://chat?number=%2B34600111222"),
    ("viber_bot", "@acme-bot", "acme-bot", f"viber://pa?chatURI=acme-bot&text={ENCODED}"),
    ("signal", PHONE, PHONE, "https://signal.me/#p/+34600111222"),
    ("signal", TOKEN, TOKEN, SIGNAL_TOKEN),
    ("line", "@acme", "@acme", f"https://line.me/R/oaMessage/%40acme/?{ENCODED}"),
    ("wechat", "acme_es", "acme_es", None),
    ("wechat", "kfc1234567890abcde", "kfc1234567890abcde", "https://work.weixin.qq.com/kfid/kfc1234567890abcde"),
    ("discord", "acme-es", "acme-es", "https://discord.gg/acme-es"),
    ("slack", "T012345678/U012345678", "T012345678/U012345678", "slack://user?team=T012345678&id=U012345678"),
    (
        "teams",
        "marta@example.com",
        "marta@example.com",
        f"https://teams.microsoft.com/l/chat/0/0?users=marta%40example.com&message={ENCODED}",
    ),
    ("vk", "acme_es", "acme_es", "https://vk.me/acme_es?ref=AB12"),
    (
        "x",
        "2244994945",
        "2244994945",
        f"https://twitter.com/messages/compose?recipient_id=2244994945&text={ENCODED}",
    ),
    ("kakaotalk", "_xkaAbC", "_xkaAbC", "https://pf.kakao.com/_xkaAbC/chat"),
    ("zalo", "2134567890123", "2134567890123", "https://zalo.me/2134567890123"),
    ("snapchat", "@acme_es", "acme_es", "https://www.snapchat.com/add/acme_es"),
    ("apple_messages", UUID.upper(), UUID, f"https://bcrw.apple.com/urn:biz:{UUID}?body={ENCODED}"),
    (
        "calendly",
        "marta/30min",
        "marta/30min",
        "https://calendly.com/marta/30min?name=Ana%20Gil&email=ana%40example.com",
    ),
    (
        "calcom",
        "team/acme/demo",
        "team/acme/demo",
        "https://cal.com/team/acme/demo?name=Ana%20Gil&email=ana%40example.com",
    ),
    ("matrix", "@marta:example.com", "@marta:example.com", "https://matrix.to/#/@marta:example.com"),
    ("matrix", "@a/b:example.com:8448", "@a/b:example.com:8448", "https://matrix.to/#/@a%2Fb:example.com:8448"),
]

# What no channel takes, whatever its handles look like.
HOSTILE = [
    "",
    " ",
    ".",
    "..",
    "/",
    "@",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "https://evil.test/",
    "//evil.test",
    "marta@evil.test@example.com",
    "marta?text=x",
    "marta#x",
    "marta/../evil",
    "marta\\evil",
    "marta\nevil",
    "marta_acme\n",
    "marta\r\nLocation: x",
    "marta\x00",
    "mar\u200bta_acme",
    "\u202eatram_acme",
    "m\u0430rta_acme",  # Cyrillic а
    "+34600１11222",  # a full-width digit
    "+٣٤٦٠٠١١١٢٢٢",  # Arabic-Indic digits
    "<b>marta</b>",
    "marta%2f..",
    '"marta"',
    "a" * 301,
]


def _replaced(letters, others):
    """The first of these letters becomes another that looks like it; a handle without any gets it at its end."""

    def spoil(handle):
        for letter, other in zip(letters, others, strict=True):
            if letter in handle:
                return handle.replace(letter, other, 1)
        return handle + others[0]

    return spoil


# What hides in a handle that is otherwise right: each is refused by every channel that has handles.
SPOILT = {
    "a script": lambda h: f"javascript:{h}",
    "a script in capitals": lambda h: f"JAVASCRIPT://{h}",
    "data": lambda h: f"data:text/html,{h}",
    "a second host": lambda h: f"//evil.test/{h}",
    "a whole address": lambda h: f"https://evil.test/{h}",
    "credentials before a host": lambda h: f"{h}@evil.test@evil.test",
    "a query": lambda h: f"{h}?text=x",
    "a fragment": lambda h: f"{h}#x",
    "a way up": lambda h: f"{h}/../../../evil",
    "backslashes": lambda h: f"{h}\\evil",
    "an encoded slash": lambda h: f"{h}%2f..%2fevil",
    "a tag": lambda h: f"{h}<script>",
    "a quotation mark": lambda h: f'{h}" onclick="x',
    "a second address": lambda h: f"{h},{h}",
    "a line break": lambda h: f"{h}\n",
    "a header": lambda h: f"{h}\r\nLocation: https://evil.test",
    "NUL": lambda h: f"{h}\x00",
    "a tabulator": lambda h: f"\t{h}",
    "a control character": lambda h: f"{h[:2]}\x1b{h[2:]}",
    "a zero-width space": lambda h: f"{h[:2]}\u200b{h[2:]}",
    "a byte order mark": lambda h: f"\ufeff{h}",
    "a right-to-left override": lambda h: f"\u202e{h}",
    "a soft hyphen": lambda h: f"{h[:3]}\u00ad{h[3:]}",
    "a letter of another alphabet": _replaced("aceox", "асеох"),
    "a digit of another script": _replaced("0123456789", "０１２３４５６７８９"),
    "more than anybody's": lambda h: h * 60,
}

# What looks right and is refused by a channel's own rule.
REFUSED = [
    ("telegram", "abc"),
    ("telegram", "1marta"),
    ("telegram", "marta__acme"),
    ("telegram", "marta_"),
    ("telegram", "@@marta"),
    ("telegram", "a" * 33),
    *[
        ("telegram", path)
        for path in [
            "joinchat",
            "addstickers",
            "addemoji",
            "addtheme",
            "proxy",
            "socks",
            "login",
            "share",
            "setlanguage",
            "confirmphone",
            "invoice",
            "boost",
            "giftcode",
            "JoinChat",
        ]
    ],
    ("telegram_bot", "marta_acme"),
    ("whatsapp", "+12"),
    ("whatsapp", "+34 600 111 222 ext. 5"),
    ("phone", "marta"),
    ("phone", "tel:+34600111222"),
    ("email", "marta"),
    ("email", "a@example.com,b@example.com"),
    ("email", "a@example.com;b@example.com"),
    ("email", '"a b"@example.com'),
    ("email", f"{'a' * 64}@{'b' * 190}.com"),
    ("messenger", "abcd"),
    ("instagram", ".acme"),
    ("instagram", "acme."),
    ("instagram", "ac..me"),
    ("instagram", "a" * 31),
    ("signal", "a" * 39),
    ("line", "acme"),
    ("line", "@Acme"),
    ("wechat", "1acme"),
    ("discord", "a"),
    ("slack", "T012345678"),
    ("slack", "t012345678/u012345678"),
    ("vk", "1acme"),
    ("x", "marta"),
    ("x", "1" * 21),
    ("kakaotalk", "acme"),
    ("zalo", "1234567"),
    ("snapchat", "ab"),
    ("apple_messages", UUID[:-1]),
    ("calendly", "marta/30min/x/y"),
    ("calendly", "/marta"),
    ("matrix", "marta:example.com"),
    ("matrix", "@marta"),
]

NEEDING_HANDLES = [channel for channel in CHANNELS.values() if channel.needs_handle]


def link(channel, handle, **prefill):
    given = {"text": TEXT, "subject": "Hi\r\nthere", "ref": "AB12", "name": "Ana Gil", "email": "ana@example.com"}
    return CHANNELS[channel].link(handle, **{**given, **prefill})


@pytest.mark.parametrize(("channel", "typed", "normal", "address"), LINKS)
def test_a_handle_becomes_its_link(channel, typed, normal, address):
    handle = CHANNELS[channel].normalise(typed, region="ES")

    assert handle == normal
    assert CHANNELS[channel].normalise(handle, region=None) == handle
    assert link(channel, handle) == address


def test_every_channel_has_a_link_in_this_table():
    assert {row[0] for row in LINKS} | {"form"} == set(CHANNELS)


@pytest.mark.parametrize("channel", NEEDING_HANDLES, ids=lambda channel: channel.id)
def test_no_channel_takes_hostile_handles(channel):
    assert [typed for typed in HOSTILE if takes(channel, typed)] == []


@pytest.mark.parametrize("channel", NEEDING_HANDLES, ids=lambda channel: channel.id)
def test_no_channel_takes_its_own_handle_made_hostile(channel):
    made = {name: spoil(channel.example) for name, spoil in SPOILT.items()}

    assert len({*made.values()}) == len(SPOILT) == 26
    assert {name: typed for name, typed in made.items() if takes(channel, typed)} == {}


def takes(channel, typed):
    """Whether a handle is taken, as people type it or in a link, or refused without a sentence that says why."""
    return "Write it like" not in refusal(channel.normalise, typed) or "not a normal" not in refusal(
        channel.link, typed
    )


def refusal(attempt, typed):
    try:
        attempt(typed)
    except ValueError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(("channel", "typed"), REFUSED)
def test_each_channel_keeps_its_own_rules(channel, typed):
    with pytest.raises(ValueError, match=f"handle for {re.escape(str(CHANNELS[channel].label))}"):
        CHANNELS[channel].normalise(typed, region="ES")


@pytest.mark.parametrize("channel", NEEDING_HANDLES, ids=lambda channel: channel.id)
def test_the_example_shown_is_a_handle(channel):
    assert channel.normalise(channel.example, region=None) == channel.example


@pytest.mark.parametrize("channel", NEEDING_HANDLES, ids=lambda channel: channel.id)
def test_links_carry_what_the_table_says(channel):
    texts = {"text": "zzz", "subject": "yyy", "ref": "AB12", "name": "xxx", "email": "ana@example.com"}
    plain, full = channel.link(channel.example), channel.link(channel.example, **texts) or ""

    carried = {name for name, value in texts.items() if value.replace("@", "%40") in full.replace("@", "%40")}

    assert carried == channel.prefill
    assert plain is None or "None" not in plain


@pytest.mark.parametrize("channel", NEEDING_HANDLES, ids=lambda channel: channel.id)
def test_texts_cannot_leave_their_place(channel):
    hostile = "x&y=1#z?\r\n<script>\"'\x00\ud800" + "a" * 2_000
    address = channel.link(
        channel.example, text=hostile, subject=hostile, ref=hostile, name=hostile, email="a@b.test&c=1"
    )

    if address is not None:
        assert not re.search(r"[\s<>\"'\x00-\x1f]", address)
        assert address.count("#") <= 1 + channel.example.count("#")
        assert "y=1" not in address
        assert "c=1" not in address
        assert len(address) < 4_000


def test_subjects_are_one_line():
    assert link("email", "a@b.test", text="", subject="a\r\nBcc: x@y.test") == (
        "mailto:a@b.test?subject=a%20Bcc%3A%20x%40y.test"
    )


def test_a_text_is_cut_at_a_thousand_characters():
    assert link("whatsapp", PHONE, text="a" * 1_001) == "https://wa.me/34600111222?text=" + "a" * 1_000


def test_a_start_parameter_is_what_telegram_takes():
    assert link("telegram_bot", "acme_bot", ref="A B/" + "c" * 80) == "https://t.me/acme_bot?start=AB" + "c" * 62


def test_people_read_phone_numbers_in_groups_and_names_with_an_at():
    assert CHANNELS["phone"].display(PHONE) == "+34 600 11 12 22"
    assert CHANNELS["telegram"].display("marta_acme") == "@marta_acme"
    assert CHANNELS["line"].display("@acme") == "@acme"


def test_a_form_needs_no_handle_and_opens_nothing():
    assert not CHANNELS["form"].needs_handle
    assert CHANNELS["form"].link("") is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("skype", "Skype closed in May 2025"),
        ("Skype", "Skype closed in May 2025"),
        ("google-business-messages", "closed in July 2024"),
        ("whatsap", "Did you mean whatsapp?"),
        ("fax", "There is no channel “fax”"),
    ],
)
def test_a_channel_that_does_not_exist_is_refused_with_a_hint(name, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        channel_named(name)
