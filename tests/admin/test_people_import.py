"""Importing people from a sheet: what is read, what is refused and where, and that nothing is half written."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.importing import SheetChanged, import_people
from agents.models import Agent, Membership, RosterChange, Shift, Workspace
from agents.people_sheet import SheetRefused, read_sheet, shifts_of, text_of
from agents.workspace_stamp import stamp
from tests.crawler import client_of, somebody

PAGE = "/admin/agents/agent/import/"


@pytest.fixture
def workspace(db):
    return Workspace.objects.create(slug="plain", name="Plain", plan="scale", timezone="Europe/Madrid")


@pytest.fixture
def client(workspace):
    user = somebody("boss@plain.test")
    Membership.objects.create(workspace=workspace, user=user, role="manager")
    client = Client()
    client.force_login(user)
    return client


def preview(client, workspace, text):
    file = SimpleUploadedFile("people.csv", text if isinstance(text, bytes) else text.encode())
    return client.post(PAGE, {"file": file, "_workspace": stamp(workspace)})


def bring_in(client, workspace, text):
    return client.post(PAGE, {"sheet": text, "import": "1", "_workspace": stamp(workspace)}, follow=True)


SHEET = """name,email,languages,territories,cap open,shifts,whatsapp
Marta Ruiz,marta@plain.test,"es, EN",es;us-ca,20,mon-fri 09:00-18:00; fri 22:00-06:00 on call,+34 600 111 222
João Lima,,pt_br,,,,
"""


class TestASheet:
    def test_is_shown_before_anything_is_written(self, client, workspace):
        page = preview(client, workspace, SHEET).content.decode()

        assert "Is added, as marta-ruiz" in page
        assert "Nothing is written yet" in page
        assert not Agent.objects.exists()

    def test_makes_people_with_their_hours_and_handles(self, client, workspace):
        page = bring_in(client, workspace, SHEET).content.decode()

        joao, marta = Agent.objects.order_by("slug")
        assert "Added 2 people." in page
        assert (marta.name, marta.languages, marta.territories, marta.cap_open) == (
            "Marta Ruiz", ["es", "en"], ["ES", "US-CA"], 20,
        )  # fmt: skip
        assert marta.handles.get().value == "+34600111222"
        shifts = marta.shifts.order_by("weekday", "start_minute")
        assert list(shifts.values_list("weekday", "start_minute", "end_minute", "kind")) == [
            *((day, 540, 1080, "regular") for day in range(5)),
            (4, 1320, 360, "on_call"),
        ]
        assert (joao.slug, joao.languages) == ("joao-lima", ["pt-BR"])

    def test_twice_changes_nothing_and_makes_no_version(self, client, workspace):
        sheet = SHEET.replace("name,", "slug,name,").replace("Marta Ruiz,", "marta,Marta Ruiz,")
        sheet = sheet.replace("João Lima,", "joao,João Lima,")
        bring_in(client, workspace, sheet)
        changes = RosterChange.objects.count()

        page = bring_in(client, workspace, sheet).content.decode()

        assert "nothing was changed" in page
        assert RosterChange.objects.count() == changes

    def test_changes_what_it_names_and_leaves_empty_cells_as_they_are(self, client, workspace):
        bring_in(client, workspace, SHEET)

        bring_in(
            client, workspace, "slug,name,tags,shifts,telegram,whatsapp\nmarta-ruiz,,senior,sat 10:00-14:00,@marta_r,\n"
        )

        marta = Agent.objects.get(slug="marta-ruiz")
        assert (marta.name, marta.tags, marta.cap_open) == ("Marta Ruiz", ["senior"], 20)
        assert marta.shifts.count() == 1
        assert dict(marta.handles.values_list("channel", "value")) == {
            "whatsapp": "+34600111222",
            "telegram": "marta_r",
        }

    def test_finds_people_again_by_address(self, client, workspace):
        bring_in(client, workspace, SHEET)

        bring_in(client, workspace, "name;email;title\nMarta R.;MARTA@plain.test;Sales\n")

        assert Agent.objects.get(email="MARTA@plain.test").slug == "marta-ruiz"
        assert Agent.objects.count() == 2

    def test_is_one_change_of_the_roster(self, client, workspace):
        bring_in(client, workspace, SHEET)

        assert RosterChange.objects.filter(kind="agent").values("version").distinct().count() == 1

    @pytest.mark.parametrize(
        ("cells", "column", "said"),
        [
            ("name,languages\nAna,klingonish", "languages", "is not a language tag"),
            ("name,territories\nAna,Spain", "territories", "neither a country nor a region"),
            ("name,timezone\nAna,Madrid", "timezone", "Madrid"),
            ("name,cap day\nAna,-3", "cap_day", "whole number"),
            ("name,cap day\nAna,0", "cap_day", "at least 1"),
            ("name,whatsapp\nAna,javascript:alert(1)", "whatsapp", "not a handle for WhatsApp"),
            ("name,active\nAna,maybe", "active", "Write yes or no"),
            ("name,shifts\nAna,monday 9-5", "shifts", "mon-fri 09:00-18:00"),
            ("name,shifts\nAna,mon 09:00-09:00", "shifts", "cannot end when it starts"),
            ("name,shifts\nAna,mon-fre 09:00-17:00", "shifts", "is none"),
            ("name,shifts\nAna,mon 25:00-26:00", "shifts", "no time 25:00"),
            ("name,email\nAna,ana@", "email", "valid email"),
            ("name,email\n,ana@plain.test", "name", "cannot be blank"),
            ("name,slug\nAna,Ana!", "slug", "A slug is letters"),
            ("name,slug\nAna,a\nBo,a", "", "Line 2 is about the same person"),
            ("name,title\nAna,Sales,more", "", "more cells"),
        ],
    )
    def test_with_a_mistake_names_row_and_column_and_changes_nothing(self, workspace, cells, column, said):
        sheet = read_sheet(cells, workspace=workspace)

        wrong = [(name, sentence) for row in sheet.rows for name, sentence in row.errors]
        assert [name for name, _sentence in wrong] == [column]
        assert said in wrong[0][1]
        with pytest.raises(SheetChanged):
            import_people(workspace=workspace, text=cells)
        assert not Agent.objects.exists()

    def test_with_a_mistake_can_only_be_mended(self, client, workspace):
        sheet = "name,active\nAna,yes\nBo,maybe\n"

        for page in (preview(client, workspace, sheet), bring_in(client, workspace, sheet)):
            assert "1 row has mistakes" in page.content.decode()
            assert 'name="import"' not in page.content.decode()
        assert not Agent.objects.exists()

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "must be one of them"),
            (b"name\n", "there is no row"),
            (b"surname\nRuiz\n", "must be one of them"),
            (b"name,phonenumber\nAna,1\n", "no column “phonenumber”"),
            (b"name,name\nAna,Ana\n", "twice"),
            ("name\nJoão\n".encode("latin-1"), "UTF-8"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
            (b'name\n"Ana\n', "cannot be read"),
            (b"name\n" + b"Ana\n" * 300_000, "larger than 1 MB"),
            (b"name\n" + b"A\n" * 2_001, "more than 2000 rows"),
        ],
    )
    def test_that_cannot_be_read_is_refused_with_a_sentence(self, workspace, content, said):
        with pytest.raises(SheetRefused, match=said):
            read_sheet(text_of(content), workspace=workspace)

    def test_as_another_spreadsheet_saves_it_is_read_too(self, workspace):
        sheet = read_sheet(text_of('\ufeffName;Languages\r\nAna;"es, en"\r\n'.encode()), workspace=workspace)

        assert sheet.is_good
        assert sheet.rows[0].agent.languages == ["es", "en"]

    def test_over_the_plan_is_refused_whole(self, client, workspace):
        Workspace.objects.filter(pk=workspace.pk).update(plan="free")

        page = bring_in(client, workspace, "name\nAna\nBo\nCy\n").content.decode()

        assert "The Free plan has 2 active agents, not 3" in page
        assert not Agent.objects.exists()

    def test_takes_as_many_statements_for_many_people_as_for_few(self, client, workspace):
        def statements(count, prefix):
            text = "name,slug,languages,whatsapp,shifts\n" + "".join(
                f"P,{prefix}{n},es,+34600111222,mon 09:00-17:00\n" for n in range(count)
            )
            with CaptureQueriesContext(
                connection,
            ) as captured:
                bring_in(client, workspace, text)
            return len(captured)

        few = statements(5, "a")
        assert statements(200, "b") <= few
        assert Shift.objects.count() == 205


def test_another_workspaces_people_are_nobodys_to_change(acme, other):
    manager = client_of(somebody("manager@acme.test", (acme, "manager")), acme)
    theirs = other.rows[Agent][0]

    manager.post(
        PAGE, {"sheet": f"slug,name\n{theirs.slug},Stolen\n", "import": "1", "_workspace": stamp(acme.workspace)}
    )

    theirs.refresh_from_db()
    assert theirs.name != "Stolen"


def test_what_a_sheet_says_never_runs(client, workspace):
    page = preview(client, workspace, "name\n<script>alert(1)</script>\n").content.decode()

    assert "<script>alert" not in page


def test_days_may_wrap_around_the_week_and_be_listed():
    assert [shift[0] for shift in shifts_of("sat-mon 10:00-12:00; tue,thu 10:00-12:00")] == [5, 6, 0, 1, 3]


def test_the_example_is_a_good_sheet(client, workspace):
    example = client.get(f"{PAGE}?example").content

    assert read_sheet(text_of(example), workspace=workspace).is_good
