"""Editing the draft beside others, trying it as it stands, and putting rules in order."""

import pytest
from django.db import connection

from agents.models import Team, TeamMember, Workspace
from agents.workspace_stamp import stamp
from routing.models import Draft, PolicyVersion, Rule, ScoringRule
from routing.publishing import draft_document, state_of
from tests.crawler import client_of, somebody

pytestmark = pytest.mark.django_db

MONDAY = "2026-03-02T10:00"  # by the clock of Madrid: the agent of `acme` is there


@pytest.fixture
def ws(acme):
    """Acme with an empty draft and nothing published."""
    Rule.objects.for_workspace(acme.workspace).delete()
    ScoringRule.objects.for_workspace(acme.workspace).delete()
    Workspace.objects.filter(pk=acme.workspace.pk).update(policy_version=0)
    return Workspace.objects.get(pk=acme.workspace.pk)


@pytest.fixture
def colleague(acme):
    return client_of(somebody("colleague@acme.test", (acme, "manager")), acme)


def rule(ws, acme, name, **given):
    return Rule.objects.create(workspace=ws, name=name, team=acme.rows[Team][0], **given)


def spain(**more):
    return {"when-0-group": "1", "when-0-field": "country", "when-0-op": "is", "when-0-value": "ES", **more}


def form(ws, acme, **said):
    return {
        "_workspace": stamp(ws), "when-TOTAL_FORMS": "1", "when-INITIAL_FORMS": "0", "name": "Spain", "is_active": "on",
        "to_kind": "team", "team": acme.rows[Team][0].pk, "by": "round_robin", "if_nobody": "next_rule", **said,
    }  # fmt: skip


def seen_on(page):
    return page.context["adminform"].form["seen"].value() or page.context["adminform"].form.stored


def order(ws):
    return list(Rule.objects.for_workspace(ws).order_by("position", "id").values_list("name", flat=True))


class TestTwoAtOnce:
    def test_who_saves_second_is_told_what_it_says_now_and_may_save_again(self, as_manager, colleague, ws, acme):
        one = rule(ws, acme, "Spain")
        url = f"/admin/routing/rule/{one.pk}/change/"
        mine, theirs = (seen_on(client.get(url)) for client in (as_manager, colleague))
        assert colleague.post(url, form(ws, acme, seen=theirs, if_nobody="hold")).status_code == 302

        refused = as_manager.post(url, form(ws, acme, seen=mine, name="Iberia", **spain()))

        text = refused.content.decode()
        assert "colleague@acme.test changed this rule while you were editing" in text
        assert "hold until somebody is" in text
        assert 'value="Iberia"' in text
        one.refresh_from_db()
        assert (one.name, one.if_nobody) == ("Spain", "hold")
        shown_now = refused.context["adminform"].form.stored
        assert f'value="{shown_now}"' in text
        assert as_manager.post(url, form(ws, acme, seen=shown_now, name="Iberia")).status_code == 302
        one.refresh_from_db()
        assert (one.name, one.if_nobody) == ("Iberia", "next_rule")

    def test_the_settings_are_guarded_as_well(self, as_manager, ws):
        draft = Draft.objects.get(workspace=ws)
        url = f"/admin/routing/draft/{draft.pk}/change/"
        seen = seen_on(as_manager.get(url))
        Draft.objects.filter(pk=draft.pk).update(hot=90)
        said = {"returning": "rotate", "join_window_s": "1h", "acknowledge_within_s": "5m", "hot": "80", "warm": "20"}

        refused = as_manager.post(url, {"_workspace": stamp(ws), "seen": seen, **said})

        assert "Somebody changed this while you were editing" in refused.content.decode()
        draft.refresh_from_db()
        assert draft.hot == 90

    def test_only_what_was_looked_at_is_published(self, as_manager, ws, acme):
        rule(ws, acme, "Spain")
        seen = as_manager.get("/admin/routing/policyversion/publish/").context["seen"]
        rule(ws, acme, "Portugal")
        said = {"_workspace": stamp(ws), "note": "My reasons"}

        refused = as_manager.post("/admin/routing/policyversion/publish/", {**said, "seen": seen})

        assert refused.status_code == 409
        assert "so nothing was done" in refused.content.decode()
        assert 'value="My reasons"' in refused.content.decode()
        assert "Portugal" in refused.content.decode()
        assert Workspace.objects.get(pk=ws.pk).policy_version == 0
        again = {**said, "seen": refused.context["seen"]}
        assert as_manager.post("/admin/routing/policyversion/publish/", again).status_code == 302

    def test_only_what_was_published_then_is_rolled_back(self, as_manager, ws, acme):
        for name in ("A", "B", "C"):
            rule(ws, acme, name)
            as_manager.post("/admin/routing/policyversion/publish/", {"_workspace": stamp(ws)})
        first = PolicyVersion.objects.for_workspace(ws).order_by("number")[1]
        url = f"/admin/routing/policyversion/{first.pk}/publish-again/"
        current = Workspace.objects.get(pk=ws.pk).policy_version

        refused = as_manager.post(url, {"_workspace": stamp(ws), "published": current - 1})

        assert refused.status_code == 409
        assert Workspace.objects.get(pk=ws.pk).policy_version == current
        as_manager.post(url, {"_workspace": stamp(ws), "published": current, "draft_too": "on"})
        assert Workspace.objects.get(pk=ws.pk).policy_version == current + 1
        assert order(ws) == [rule["name"] for rule in first.document["rules"]]

    def test_changes_are_given_up_as_they_were_shown(self, as_manager, ws, acme):
        rule(ws, acme, "Spain")
        as_manager.post("/admin/routing/policyversion/publish/", {"_workspace": stamp(ws)})
        rule(ws, acme, "Portugal")
        here = Workspace.objects.get(pk=ws.pk)
        stale, now = "another", state_of(here, draft_document(here))

        assert self._give_up(as_manager, ws, stale) == 409
        assert order(ws) == ["Spain", "Portugal"]
        assert self._give_up(as_manager, ws, now) == 302
        assert order(ws) == ["Spain"]

    def _give_up(self, client, ws, seen):
        return client.post("/admin/routing/policyversion/discard/", {"_workspace": stamp(ws), "seen": seen}).status_code


class TestOrder:
    def test_is_put_as_a_whole_unless_somebody_moved_them_meanwhile(self, as_manager, ws, acme):
        a, b, c = (rule(ws, acme, name, position=place).pk for place, name in enumerate("ABC"))

        def put(seen, order, moved=b):
            said = {"seen": seen, "order": order, "moved": moved, "_workspace": stamp(ws)}
            return as_manager.post("/admin/routing/rule/order/", said, follow=True).content.decode()

        put(f"{a},{b},{c}", f"{c},{a},{b}")
        assert order(ws) == ["C", "A", "B"]
        for seen, wanted in (
            (f"{a},{b},{c}", f"{b},{a},{c}"),
            (f"{c},{a},{b}", f"{c},{a}"),
            (f"{c},{a},{b}", "x"),
            ("", ""),
        ):
            assert "so nothing was moved" in put(seen, wanted)
        assert order(ws) == ["C", "A", "B"]

    def test_a_new_rule_is_offered_the_place_above_the_one_that_takes_everything(self, as_manager, ws, acme):
        rule(ws, acme, "First", when={"all": [{"field": "city", "op": "is", "value": "Madrid"}]}, position=0)
        last = rule(ws, acme, "All", position=1)

        page = as_manager.get("/admin/routing/rule/add/")
        place = page.context["adminform"].form["place"].value()
        as_manager.post("/admin/routing/rule/add/", form(ws, acme, place=place))

        assert place == str(last.pk)
        assert order(ws) == ["First", "Spain", "All"]

    def test_a_rule_is_moved_by_its_page(self, as_manager, ws, acme):
        a, _b, c = (rule(ws, acme, name, position=place) for place, name in enumerate("ABC"))

        as_manager.post(f"/admin/routing/rule/{c.pk}/change/", form(ws, acme, name="C", place=a.pk))
        assert order(ws) == ["C", "A", "B"]
        as_manager.post(f"/admin/routing/rule/{c.pk}/change/", form(ws, acme, name="C", place=""))
        assert order(ws) == ["A", "B", "C"]


class TestTrying:
    @pytest.fixture
    def try_it(self, as_manager, ws, acme):
        def post(url="/admin/routing/rule/add/", *, htmx=True, **said):
            headers = {"hx-request": "true"} if htmx else {}
            return as_manager.post(url, form(ws, acme, **{"_try": "1", **said}), headers=headers)

        return post

    LEAD = {"try-channel": "telegram", "try-language": "es", "try-at": MONDAY}

    def test_the_rule_as_it_stands_says_what_it_does_and_who_would_get_a_lead(self, try_it, ws, acme):
        member = TeamMember.objects.filter(team=acme.rows[Team][0]).select_related("agent").get()
        written = []

        def watch(execute, sql, params, many, context):
            written.append(sql.split()[0])
            return execute(sql, params, many, context)

        with connection.execute_wrapper(watch):
            text = try_it(**spain(), **self.LEAD, **{"try-country": "ES"}).content.decode()

        assert "<html" not in text
        assert "When country is Spain" in text
        assert f"{member.agent.name} gets it on Telegram" in text
        assert "It fits rule 1 “Spain”" in text
        assert Rule.objects.for_workspace(ws).count() == 0
        assert {"INSERT", "UPDATE", "DELETE"}.isdisjoint(written)

    def test_whom_no_rule_fits_is_told_with_why(self, try_it):
        text = try_it(**spain(), **self.LEAD, **{"try-country": "PT"}).content.decode()

        assert "No rule fits this lead" in text
        assert "Country is Spain, but it is Portugal" in text

    def test_a_rule_that_is_not_sound_says_what_is_missing_and_saves_nothing(self, try_it, ws):
        text = try_it(team="", **spain(**{"when-0-value": ""}), **self.LEAD).content.decode()

        assert "Choose where the rule sends leads." in text
        assert "Choose at least one." in text
        assert Rule.objects.for_workspace(ws).count() == 0

    def test_works_without_a_script_and_keeps_what_was_typed(self, try_it, ws):
        page = try_it(htmx=False, **spain(), **self.LEAD)

        assert page.status_code == 200
        assert "<html" in page.content.decode()
        assert 'value="Spain"' in page.content.decode()
        assert page.context["told"].headline.endswith("fallback agent")
        assert Rule.objects.for_workspace(ws).count() == 0

    def test_what_cannot_be_right_is_said_with_its_remedy(self, try_it, ws, acme):
        above = rule(ws, acme, "All", position=0)
        Rule.objects.filter(pk=above.pk).update(to_kind="queue", team=None)

        text = try_it(**spain()).content.decode()

        assert "This is never reached: rule 1 “All” takes every such lead first." in text
        assert f'data-place="{above.pk}"' in text

    def test_by_the_saved_draft_has_a_page_of_its_own(self, as_manager, ws, acme):
        rule(ws, acme, "Everything")
        said = {"_workspace": stamp(ws), **self.LEAD}

        assert as_manager.get("/admin/routing/rule/try/").status_code == 200
        assert "It fits rule 1 “Everything”" in as_manager.post("/admin/routing/rule/try/", said).content.decode()
        refused = as_manager.post("/admin/routing/rule/try/", {**said, "try-channel": "smoke signals"})
        assert "This lead cannot be tried" in refused.content.decode()

    def test_the_control_of_a_condition_comes_with_its_field(self, as_manager):
        asked = {"when-3-group": "2", "when-3-field": "country", "when-3-op": "contains", "when-3-value": "x"}

        text = as_manager.get("/admin/routing/rule/row/", asked).content.decode()

        assert '<select multiple name="when-3-value"' in text
        assert ">Spain</option>" in text
        assert 'value="2"' in text
        times = as_manager.get("/admin/routing/rule/row/", {"when-3-field": "local_time"}).content.decode()
        assert times.count('type="time"') == 2
        assert as_manager.get("/admin/routing/rule/row/").status_code == 400
