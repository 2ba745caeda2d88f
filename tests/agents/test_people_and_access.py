"""Users, roles, the active workspace, sites and keys."""

import re
import subprocess
import sys
from io import StringIO
from itertools import pairwise

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.http import HttpResponse

from agents.middleware import ActiveWorkspaceMiddleware
from agents.models import Agent, ApiKey, Membership, RosterChange, Site, User, Workspace
from agents.models.site import make_site_key
from agents.origins import normal_origin
from agents.scoping import (
    ALLOWED,
    Action,
    Role,
    activate,
    active_workspace,
    is_tenant_model,
    may,
    role_in,
    workspaces_of,
)


@pytest.fixture
def outsider(db) -> User:
    return User.objects.create_user("outsider@elsewhere.test")


@pytest.fixture
def operator(db) -> User:
    return User.objects.create_superuser("operator@switchyard.test", "operator's secret")


def member(workspace, role):
    user = User.objects.create_user(f"{role}@{workspace.slug}.test")
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


class TestUsers:
    def test_log_in_by_e_mail_in_any_case(self, acme):
        assert authenticate(username="OWNER@Acme.Test", password="owner's secret") == acme.owner
        assert authenticate(username="owner@acme.test", password="wrong") is None

    def test_have_one_account_per_address(self, acme):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user("Owner@ACME.test")
        with pytest.raises(ValidationError, match="a user with this address"):
            User(email="OWNER@acme.test", password="x").full_clean()

    def test_that_other_writers_make_keep_to_lower_case(self, db):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.bulk_create([User(email="Ana@acme.test")])

    def test_need_an_address(self, db):
        with pytest.raises(ValueError, match="needs an e-mail"):
            User.objects.create_user("")

    @pytest.mark.parametrize(("role", "enters"), [("owner", True), ("manager", True), ("ops", False), ("agent", False)])
    def test_enter_the_admin_as_owner_or_manager(self, acme, role, enters):
        user = acme.owner if role == "owner" else member(acme.workspace, role)
        assert user.is_staff is enters

    def test_enter_the_admin_as_operator_and_not_as_stranger(self, operator, outsider):
        assert operator.is_staff
        assert not outsider.is_staff
        assert not User().is_staff
        with pytest.raises(AttributeError):
            outsider.is_staff = True

    def test_have_one_role_in_a_workspace(self, acme):
        with pytest.raises(ValidationError, match="a member already"):
            Membership(workspace=acme.workspace, user=acme.owner, role="ops").full_clean()


class TestRoles:
    def test_do_more_the_higher_they_are(self):
        ladder = [ALLOWED[role] for role in (Role.AGENT, Role.OPS, Role.MANAGER, Role.OWNER)]

        assert all(lower < higher for lower, higher in pairwise(ladder))

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("action", Action)
    def test_allow_what_the_table_says(self, acme, rival, role, action):
        user = acme.owner if role == "owner" else member(acme.workspace, role)

        assert may(user, acme.workspace, action) is (action in ALLOWED[role])
        assert not may(user, rival.workspace, action)
        assert not may(user, None, action)

    def test_nobody_but_operators_changes_a_plan(self, acme, operator):
        assert not any(Action.CHANGE_PLAN in allowed for allowed in ALLOWED.values())
        assert may(operator, acme.workspace, Action.CHANGE_PLAN)

    def test_are_none_outside_and_for_the_inactive(self, acme, outsider):
        assert role_in(acme.owner, acme.workspace) is Role.OWNER
        assert role_in(outsider, acme.workspace) is None
        assert role_in(AnonymousUser(), acme.workspace) is None
        acme.owner.is_active = False
        assert not may(acme.owner, acme.workspace, Action.SEE_LEADS)
        assert not workspaces_of(acme.owner).exists()

    def test_an_action_that_does_not_exist_is_loud(self, acme):
        with pytest.raises(ValueError, match="fly"):
            may(acme.owner, acme.workspace, "fly")

    def test_operators_work_in_every_workspace_and_others_in_their_own(self, acme, rival, operator, outsider):
        assert list(workspaces_of(operator)) == [acme.workspace, rival.workspace]
        assert list(workspaces_of(acme.owner)) == [acme.workspace]
        assert not workspaces_of(outsider).exists()
        assert not workspaces_of(AnonymousUser()).exists()


class TestScoping:
    def test_rows_are_those_of_the_workspace(self, acme, rival):
        assert list(Agent.objects.for_workspace(acme.workspace).order_by("pk")) == [acme.agent, acme.colleague]
        assert list(Workspace.objects.for_workspace(rival.workspace)) == [rival.workspace]
        assert not Agent.objects.for_workspace(None).exists()

    def test_models_tell_whether_they_are_tenants(self):
        assert all(map(is_tenant_model, [Agent, Workspace, Site, Membership, RosterChange]))
        assert not is_tenant_model(User)


class TestActiveWorkspace:
    def request(self, rf, user, session=None):
        request = rf.get("/")
        request.user, request.session = user, {} if session is None else session
        return request

    def test_is_the_first_of_the_users_until_they_choose(self, rf, acme, rival):
        Membership.objects.create(workspace=rival.workspace, user=acme.owner, role="ops")
        request = self.request(rf, acme.owner)
        assert active_workspace(request) == acme.workspace

        activate(request, rival.workspace)

        assert request.workspace == rival.workspace
        assert active_workspace(self.request(rf, acme.owner, request.session)) == rival.workspace

    def test_is_never_somebody_elses(self, rf, acme, rival):
        request = self.request(rf, acme.owner)
        with pytest.raises(PermissionDenied):
            activate(request, rival.workspace)

        assert active_workspace(self.request(rf, acme.owner, {"workspace": rival.workspace.pk})) == acme.workspace

    def test_falls_back_when_the_membership_ends(self, rf, acme, rival):
        joined = Membership.objects.create(workspace=rival.workspace, user=acme.owner, role="ops")
        request = self.request(rf, acme.owner)
        activate(request, rival.workspace)
        joined.delete()

        assert active_workspace(request) == acme.workspace

    def test_is_none_without_a_membership(self, rf, acme, outsider):
        assert active_workspace(self.request(rf, outsider)) is None
        assert active_workspace(self.request(rf, AnonymousUser())) is None

    def test_is_any_for_operators(self, rf, acme, rival, operator):
        request = self.request(rf, operator)
        activate(request, rival.workspace)

        assert active_workspace(request) == rival.workspace

    def test_costs_nothing_until_it_is_used(self, rf, acme, django_assert_num_queries):
        with django_assert_num_queries(0):
            ActiveWorkspaceMiddleware(lambda request: HttpResponse())(self.request(rf, acme.owner))

    def test_is_on_every_request_and_changes_bear_the_users_name(self, rf, acme):
        def pause(request):
            assert request.workspace
            Agent.objects.for_workspace(request.workspace).update(is_paused=True)
            return HttpResponse()

        ActiveWorkspaceMiddleware(pause)(self.request(rf, acme.owner))

        assert RosterChange.objects.latest("version").actor == acme.owner

    def test_is_false_for_strangers(self, rf, acme):
        def look(request):
            assert not request.workspace
            assert not Agent.objects.for_workspace(request.workspace).exists()
            return HttpResponse()

        ActiveWorkspaceMiddleware(look)(self.request(rf, AnonymousUser()))

    def test_is_there_behind_the_real_middleware(self, client, acme):
        client.force_login(acme.owner)
        response = client.get("/admin/login/")
        assert response.wsgi_request.workspace == acme.workspace


class TestSites:
    def test_have_keys_that_nobody_guesses(self):
        keys = {make_site_key() for _ in range(500)}

        assert len(keys) == 500
        assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{23}", key) for key in keys)

    @pytest.mark.parametrize(
        ("typed", "normal"),
        [
            ("https://www.example.com", "https://www.example.com"),
            (" https://WWW.Example.com:443 ", "https://www.example.com"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("http://localhost:8000", "http://localhost:8000"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ],
    )
    def test_keep_origins_in_one_form(self, acme, typed, normal):
        site = Site(workspace=acme.workspace, name="Main", origins=[typed])
        site.full_clean()
        assert site.origins == [normal]

    @pytest.mark.parametrize(
        "typed",
        [
            "", "example.com", "https://", "https:///x", "https://example.com/", "https://example.com/path", "https://*.example.com",
            "https://example.com?x", "https://example.com#x", "https://a@example.com", "ftp://example.com", "null", "*",
            "https://example.com:99999", "https://example.com:x", "https://exämple.com", "https://example.com\\@evil.test",
            "https://exam ple.com", "http://example.com", "http://localhost.evil.test",
        ],
    )  # fmt: skip
    def test_refuse_what_is_no_origin(self, acme, typed):
        with pytest.raises(ValidationError, match=r"not an origin|not encrypted"):
            Site(workspace=acme.workspace, name="Main", origins=[typed]).full_clean()

    def test_let_in_the_listed_origins_alone(self):
        site = Site(origins=["https://www.example.com", "http://localhost:8000"])

        for origin in ("https://www.example.com", "https://WWW.example.com:443", "http://localhost:8000"):
            assert site.allows_origin(origin)
        for origin in (
            "", "null", "http://www.example.com", "https://example.com", "https://www.example.com.evil.test",
            "https://www.example.com:8443", "https://www.example.com/", "https://evil.test/https://www.example.com",
            "http://localhost", "http://localhost:8001", "https://www.example.com@evil.test",
            "https://www.example.com ",
        ):  # fmt: skip
            assert not site.allows_origin(origin), origin

    def test_offer_known_channels_once_each(self, acme):
        site = Site(workspace=acme.workspace, name="Main", channels=["whatsapp", "telegram", "whatsapp"])
        site.full_clean()
        assert site.channels == ["whatsapp", "telegram"]

        with pytest.raises(ValidationError, match="Skype closed"):
            Site(workspace=acme.workspace, name="Main", channels=["skype"]).full_clean()
        with pytest.raises(ValidationError, match="list of texts"):
            Site(workspace=acme.workspace, name="Main", channels={"whatsapp": 1}).full_clean()

    def test_normal_origin_is_none_for_what_cannot_be_sent(self):
        assert normal_origin("https://[::1") is None
        assert normal_origin("https://exam\tple.com") is None


class TestApiKeys:
    def test_are_found_by_their_hash_alone(self, acme):
        row, key = ApiKey.issue(workspace=acme.workspace, name="CRM", scopes=["leads:write"])

        assert re.fullmatch(r"sy_[A-Za-z0-9_-]{43}", key)
        assert ApiKey.objects.find(key) == row
        assert ApiKey.objects.find(key).workspace == acme.workspace
        assert not any(key in str(value) for value in ApiKey.objects.values_list().get())
        assert key.startswith(row.prefix)
        assert row.allows("leads:write")
        assert not row.allows("leads:read")

    @pytest.mark.parametrize("key", ["", "sy_", "nonsense", "\ud800", "sy_" + "a" * 5_000])
    def test_that_nobody_made_find_nothing(self, acme, key):
        assert ApiKey.objects.find(key) is None

    def test_end_when_they_are_revoked(self, acme):
        row, key = ApiKey.issue(workspace=acme.workspace, name="CRM", scopes=["leads:read"])
        ApiKey.objects.filter(pk=row.pk).update(revoked_at="2026-03-02T10:00Z")

        assert ApiKey.objects.find(key) is None

    @pytest.mark.parametrize("scopes", [[], ["leads:delete"], ["leads:read", 1]])
    def test_have_scopes_that_exist(self, acme, scopes):
        with pytest.raises(ValidationError):
            ApiKey.issue(workspace=acme.workspace, name="CRM", scopes=scopes)
        assert not ApiKey.objects.exists()


class TestCreateApiKey:
    def run(self, *arguments):
        out = StringIO()
        call_command("create_api_key", *arguments, stdout=out)
        return out.getvalue()

    def test_prints_the_key_alone(self, acme):
        printed = self.run("--workspace", "acme", "--scopes", "leads:write, reports:read", "--name", "CRM")

        row = ApiKey.objects.find(printed.strip())
        assert printed == printed.strip() + "\n"
        assert (row.name, row.scopes, row.workspace) == ("CRM", ["leads:write", "reports:read"], acme.workspace)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ["--workspace", "acmee", "--scopes", "leads:read"],
                "no workspace 'acmee' (did you mean 'acme'?)",
            ),
            (
                ["--workspace", "acme", "--scopes", "leads:raed"],
                "scope 'leads:raed' (did you mean 'leads:read'?)",
            ),
            (["--workspace", "acme", "--scopes", ","], "Choose from these scopes"),
        ],
    )
    def test_refuses_what_does_not_exist(self, acme, arguments, message):
        with pytest.raises(CommandError, match=re.escape(message)) as caught:
            self.run(*arguments)

        assert caught.value.returncode == 2
        assert not ApiKey.objects.exists()

    def test_explains_itself_without_a_database(self):
        answer = subprocess.run(
            [sys.executable, "manage.py", "create_api_key", "--settings", "tests.settings"],
            capture_output=True,
            text=True,
        )
        assert answer.returncode == 2
        assert "--workspace" in answer.stderr
