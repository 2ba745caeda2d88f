"""What a form, a file and the API refuse to save, and what they are told."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms import inlineformset_factory

from agents.formsets import TeamMemberFormSet
from agents.models import Agent, Handle, Shift, Team, TeamMember, TimeOff, Workspace
from agents.models.hours import clock
from agents.models.team import check_weights


def errors_of(row) -> dict[str, list[str]]:
    """Empty where the row may be saved."""
    try:
        row.full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


class TestAgents:
    def test_come_out_in_one_form(self, acme):
        agent = Agent(
            workspace=acme.workspace,
            slug="007",
            name="Ana Ñ",
            languages=["pt_br", "ES", "pt-BR"],
            territories=["es", "US-ca", "ES"],
            tags=["Senior", " key  account ", "senior", "on"],
            holiday_calendar="ES-MD",
            timezone="America/Bogota",
            photo_url="https://example.com/ana.jpg",
        )

        assert errors_of(agent) == {}
        assert agent.languages == ["pt-BR", "es"]
        assert agent.territories == ["ES", "US-CA"]
        assert agent.tags == ["senior", "key account", "on"]
        assert agent.zone_name() == "America/Bogota"
        assert acme.agent.zone_name() == "Europe/Madrid"

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("slug", "", "cannot be blank"),
            ("slug", "with space", "A slug is letters"),
            ("slug", "-x", "A slug is letters"),
            ("slug", "marta", "with this slug already"),
            ("name", "Ana\nGil", "on one line"),
            ("name", "Ana\u202egil", "on one line"),
            ("title", "a\x00b", "on one line"),
            ("photo_url", "http://example.com/a.jpg", "valid URL"),
            ("photo_url", "javascript:alert(1)", "valid URL"),
            ("email", "ana", "valid email"),
            ("timezone", "Europe/Madird", "Did you mean Europe/Madrid"),
            ("languages", ["klingonese"], "not a language tag"),
            ("languages", "es", "list of texts"),
            ("territories", ["UK"], "Did you mean GB"),
            ("tags", ["a,b"], "cannot be a tag"),
            ("tags", ["x" * 51], "cannot be a tag"),
            ("tags", [1], "list of texts"),
            ("holiday_calendar", "XX", "no holiday calendar"),
            ("cap_open", 0, "A cap is at least 1"),
            ("cap_week", -1, "A cap is at least 1"),
        ],
    )
    def test_are_refused_at_the_field(self, acme, field, value, sentence):
        agent = Agent(**{"workspace": acme.workspace, "slug": "ana", "name": "Ana", field: value})

        errors = errors_of(agent)

        assert list(errors) in ([field], ["__all__"])
        assert sentence in str(errors)

    def test_keep_their_slug(self, acme):
        acme.agent.slug = "other"

        assert errors_of(acme.agent) == {
            "slug": ["Rules name agents by their slug, so it stays. Make a new agent instead."]
        }

    def test_are_one_per_user_and_workspace(self, acme, rival):
        Agent.objects.filter(pk=acme.agent.pk).update(user=acme.owner)
        acme.colleague.user = acme.owner

        assert "another agent of this workspace" in str(errors_of(acme.colleague))
        rival.agent.user = acme.owner
        assert errors_of(rival.agent) == {}

    def test_have_caps_that_the_database_checks_too(self, acme):
        with pytest.raises(IntegrityError), transaction.atomic():
            Agent.objects.filter(pk=acme.agent.pk).update(cap_day=0)


class TestHandles:
    def test_are_normalised_for_the_workspaces_country(self, acme):
        handle = Handle(workspace=acme.workspace, agent=acme.colleague, channel="whatsapp", value="600 11 12 22")

        assert errors_of(handle) == {}
        assert handle.value == "+34600111222"

    @pytest.mark.parametrize(
        ("channel", "value", "field", "sentence"),
        [
            ("skype", "marta", "channel", "Skype closed in May 2025"),
            ("whatsap", "+34600111222", "channel", "Did you mean whatsapp?"),
            ("form", "x", "channel", "needs no handle"),
            ("telegram", "https://evil.test", "value", "not a handle for Telegram"),
            ("whatsapp", "+34600111222", "__all__", "on this channel already"),
        ],
    )
    def test_are_refused_with_a_remedy(self, acme, channel, value, field, sentence):
        errors = errors_of(Handle(workspace=acme.workspace, agent=acme.agent, channel=channel, value=value))

        assert list(errors) == [field]
        assert sentence in errors[field][0]


class TestShifts:
    def shift(self, house, start, end):
        return Shift(workspace=house.workspace, agent=house.agent, weekday=0, start_minute=start, end_minute=end)

    @pytest.mark.parametrize(
        ("start", "end", "stored"), [(540, 1080, 1080), (1320, 360, 360), (0, 0, 1440), (0, 1440, 1440)]
    )
    def test_end_at_midnight_or_past_it(self, acme, start, end, stored):
        shift = self.shift(acme, start, end)

        assert errors_of(shift) == {}
        assert shift.end_minute == stored
        shift.save()

    def test_may_overlap(self, acme):
        self.shift(acme, 540, 1080).save()

        assert errors_of(self.shift(acme, 600, 1200)) == {}

    @pytest.mark.parametrize(
        ("start", "end", "field"),
        [(540, 540, "end_minute"), (1440, 60, "start_minute"), (0, 1441, "end_minute"), (-1, 60, "start_minute")],
    )
    def test_of_no_length_or_no_clock_are_refused(self, acme, start, end, field):
        assert field in errors_of(self.shift(acme, start, end))
        with pytest.raises(IntegrityError), transaction.atomic():
            self.shift(acme, start, end).save()

    def test_have_a_weekday_and_a_kind(self, acme):
        shift = self.shift(acme, 0, 60)
        shift.weekday, shift.kind = 7, "sometimes"

        assert set(errors_of(shift)) >= {"weekday", "kind"}
        with pytest.raises(IntegrityError), transaction.atomic():
            shift.save()

    def test_are_read_by_people(self, acme):
        assert str(acme.shift) == "Monday 09:00–18:00"
        assert clock(1440) == "24:00"


class TestTimeOff:
    @pytest.mark.parametrize(
        ("starts", "ends", "field"),
        [
            ("2026-08-01", "2026-08-02T00:00", "starts_local"),
            ("2026-08-01T00:00", "2026-02-30T00:00", "ends_local"),
            ("2026-08-01T24:00", "2026-08-03T00:00", "starts_local"),
            ("2026-08-01T00:00", "2026-08-01T00:00", "ends_local"),
            ("2026-08-02T00:00", "2026-08-01T00:00", "ends_local"),
            ("", "2026-08-01T00:00", "starts_local"),
        ],
    )
    def test_starts_before_it_ends_at_times_that_exist(self, acme, starts, ends, field):
        row = TimeOff(workspace=acme.workspace, agent=acme.agent, starts_local=starts, ends_local=ends)

        assert field in errors_of(row)

    def test_is_checked_by_the_database_too(self, acme):
        with pytest.raises(IntegrityError), transaction.atomic():
            TimeOff.objects.filter(pk=acme.time_off.pk).update(ends_local="2026-01-01T00:00")


class TestTeams:
    def test_keep_their_slug_and_share_none(self, acme):
        acme.team.slug = "other"
        assert "slug" in errors_of(acme.team)
        assert "with this slug already" in str(errors_of(Team(workspace=acme.workspace, slug="iberia", name="x")))

    def test_have_each_agent_once(self, acme):
        member = TeamMember(workspace=acme.workspace, team=acme.team, agent=acme.agent)

        assert "in this team already" in str(errors_of(member))

    def test_have_tiers_from_one(self, acme):
        acme.member.tier = 0

        assert "tier" in errors_of(acme.member)

    def test_with_all_weights_zero_are_refused_with_a_reason(self, acme):
        acme.member.weight = 0
        assert "nobody would ever get a lead" in errors_of(acme.member)["weight"][0]

        TeamMember.objects.create(workspace=acme.workspace, team=acme.team, agent=acme.colleague, weight=2)
        assert errors_of(acme.member) == {}

    def test_may_be_empty_or_have_some_without_turns(self):
        check_weights([])
        check_weights([0, 1])
        with pytest.raises(ValidationError, match="All weights of this team are 0"):
            check_weights(iter([0, 0]))


class TestMembersTogether:
    """A form shows the whole team, and what counts is what will be stored."""

    def formset(self, house, *rows):
        TeamMember.objects.get_or_create(
            workspace=house.workspace, team=house.team, agent=house.colleague, defaults={"weight": 0}
        )
        factory = inlineformset_factory(
            Team, TeamMember, formset=TeamMemberFormSet, fields=["agent", "weight", "tier"], extra=0
        )
        members = house.team.members.order_by("pk")
        data = {"members-TOTAL_FORMS": len(members), "members-INITIAL_FORMS": len(members)}
        for i, (member, row) in enumerate(zip(members, rows, strict=True)):
            values = {"id": member.pk, "agent": member.agent_id, "weight": member.weight, "tier": member.tier, **row}
            data |= {f"members-{i}-{name}": value for name, value in values.items()}
        return factory(data, instance=house.team, queryset=members)

    def test_swapping_the_only_weight_is_fine(self, acme):
        assert self.formset(acme, {"weight": 0}, {"weight": 1}).is_valid()

    def test_all_zero_is_refused_for_the_team(self, acme):
        formset = self.formset(acme, {"weight": 0}, {})

        assert not formset.is_valid()
        assert "All weights of this team are 0" in formset.non_form_errors()[0]

    def test_removing_the_only_member_with_turns_is_refused(self, acme):
        assert not self.formset(acme, {"DELETE": "on"}, {}).is_valid()

    def test_removing_everybody_is_fine(self, acme):
        assert self.formset(acme, {"DELETE": "on"}, {"DELETE": "on"}).is_valid()


class TestWorkspaces:
    def test_come_out_in_one_form(self, db):
        workspace = Workspace(
            slug="acme", name="Acme", languages=["ES", "en", "es"], public_attributes=["plan", "plan"]
        )

        assert errors_of(workspace) == {}
        assert (workspace.languages, workspace.public_attributes) == (["es", "en"], ["plan"])

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("slug", "a b", "A slug is letters"),
            ("timezone", "Mars/Olympus", "There is no time zone"),
            ("languages", [], "cannot be blank"),
            ("languages", ["xx"], "There is no language"),
            ("public_attributes", ["a b"], "An attribute's name is"),
            ("plan", "gold", "not a valid choice"),
        ],
    )
    def test_are_refused_at_the_field(self, db, field, value, sentence):
        errors = errors_of(Workspace(**{"slug": "acme", "name": "Acme", field: value}))

        assert list(errors) == [field]
        assert sentence in errors[field][0]
