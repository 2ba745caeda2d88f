"""One tenant never meets another in the admin or the API."""

import types

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import override_settings
from django.urls import path
from unfold.admin import ModelAdmin

from agents.admin.scoped import WorkspaceAdmin
from agents.models import Handle, User
from agents.scoping import is_tenant_model
from config import urls as config_urls
from tests.crawler import Crawler, client_of, registered_models, somebody

pytestmark = pytest.mark.django_db


class TestTheTenants:
    def test_have_a_recognisable_row_of_everything(self, acme):
        for model in apps.get_models():
            if not is_tenant_model(model):
                continue
            assert acme.rows.get(model), f"{model.__name__} has no row in the tenants of the crawler"
        for model in registered_models():
            if model in acme.rows and any(isinstance(f, models.CharField) for f in model._meta.concrete_fields):
                texts = str(list(model._base_manager.filter(pk__in=acme.ids(model)).values()))
                quiet = model._meta.label in ("routing.Draft", "routing.ScoringRule", "agents.Membership")
                assert acme.marker in texts.lower() or quiet, f"{model.__name__}: {texts}"


class TestTheCrawler:
    def test_finds_nothing_of_another_workspace_as_its_manager(self, acme, other, manager):
        crawler = Crawler(client_of(manager, acme), acme, other)

        # The pages of each row, and with every parameter, where somebody may see more: below.
        crawler.crawl_admin(rows=False, parameters=False, forge=False)

        assert crawler.leaks == []
        assert list(crawler.visited.values()).count(200) > 40

    def test_finds_nothing_of_the_inactive_workspace_of_who_has_two(self, acme, other, both):
        """And forms forged by who may do everything in both change nothing in the inactive one."""
        crawler = Crawler(client_of(both, acme), acme, other, shown_in_switcher=True)

        crawler.crawl_admin()

        assert crawler.leaks == []
        assert len(crawler.visited) > 300
        # Forging forms that are refused for other reasons would prove nothing: these are saved as they are.
        saved = {url.rsplit("/", 3)[0] for url, status in crawler.posted if status == 302}
        assert {"/admin/agents/agent", "/admin/agents/team", "/admin/routing/rule"} <= saved

    def test_finds_nothing_the_other_way_round_as_its_manager(self, acme, other, both):
        crawler = Crawler(client_of(both, other), other, acme, shown_in_switcher=True)

        crawler.crawl_admin(parameters=False, forge=False)

        assert crawler.leaks == []
        assert len(crawler.visited) > 100

    def test_finds_nothing_in_the_api(self, acme, other):
        crawler = Crawler(client_of(somebody("nobody@mail.test")), acme, other)

        crawler.crawl_api()

        assert crawler.leaks == []
        assert any("/leads" in url for url in crawler.visited)

    def test_finds_nothing_in_the_pages_of_sites(self, acme, other):
        crawler = Crawler(client_of(somebody("nobody@mail.test")), acme, other)

        crawler.crawl_hosted()

        assert crawler.leaks == []
        assert any(url.startswith("/talk/") and status == 200 for url, status in crawler.visited.items())

    def test_reads_the_pages_of_its_own_workspace(self, acme, other, manager):
        """Found nothing because it was let in nowhere would prove nothing."""
        crawler = Crawler(client_of(manager, acme), own=acme, foreign=acme)

        crawler.before = acme.contents()
        for model in registered_models():
            if model is not User:
                crawler.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")

        assert len(crawler.leaks) >= 10


class Unscoped(ModelAdmin):
    """What must never be written: everybody's rows for everybody."""

    def has_module_permission(self, request):
        return True

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = (
        lambda self, request, obj=None: True
    )


class StockFilter(WorkspaceAdmin):
    """Scoped rows, and Django's own filter, which offers everybody's."""

    list_filter = ("agent",)


class TestACareless:
    @pytest.mark.parametrize("careless", [Unscoped, StockFilter])
    def test_admin_is_found(self, acme, other, manager, careless):
        admin.site.register(Handle, careless)
        try:
            urls = types.ModuleType("urls_with_a_leak")
            others = [each for each in config_urls.urlpatterns if getattr(each, "namespace", "") != "admin"]
            urls.urlpatterns = [path("admin/", admin.site.urls), *others]
            with override_settings(ROOT_URLCONF=urls):
                crawler = Crawler(client_of(manager, acme), acme, other)
                response = crawler.get("/admin/agents/handle/")
        finally:
            admin.site.unregister(Handle)

        assert response.status_code == 200
        assert crawler.leaks
