"""Who may come in, from where, and what they are told who may not."""

import pytest
from django.test import Client

from agents.models import ApiKey, Site
from leads.models import Lead
from tests.widget.conftest import ORIGIN


def problem(response, status):
    """The body of an error, in the shape that all of them have."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["status"] == status
    assert body["detail"].endswith((".", "!"))
    assert body.keys() <= {"type", "title", "status", "detail", "errors"}
    return body


class TestSiteKeys:
    @pytest.mark.parametrize("path", ["config", "leads/some-token"])
    def test_an_unknown_one_is_404(self, acme, path):
        acme.site.key = "unknown"

        assert "no site with this key" in problem(acme.visit(path), 404)["detail"]

    def test_a_post_under_an_unknown_one_is_404_too(self, acme):
        acme.site.key = "unknown"

        problem(acme.write(), 404)

    def test_one_of_a_site_that_was_switched_off_is_unknown(self, acme):
        Site.objects.update(is_active=False)

        problem(acme.visit(), 404)

    @pytest.mark.parametrize("key", ["%00", "a b", "x" * 41, "ключ", "..%2f"])
    def test_what_cannot_be_one_is_404(self, acme, key):
        problem(Client().get(f"/api/v1/widgets/{key}/config"), 404)


class TestApiKeys:
    @pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Token abc"])
    def test_none_is_401(self, acme, authorization):
        headers = {} if authorization is None else {"authorization": authorization}

        response = Client().get("/api/v1/leads", headers=headers)

        problem(response, 401)
        assert response["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("key", ["sy_unknown", "ключ", "x" * 5000])
    def test_an_unknown_one_is_401(self, acme, key):
        response = acme.ask("leads", key=key)

        assert "create_api_key" in problem(response, 401)["detail"]
        assert response["WWW-Authenticate"] == "Bearer"

    def test_a_revoked_one_is_401(self, acme, clock):
        ApiKey.objects.update(revoked_at=clock.at)

        problem(acme.ask("leads"), 401)

    def test_a_site_key_is_no_api_key(self, acme):
        problem(acme.ask("leads", key=acme.site.key), 401)

    @pytest.mark.parametrize(
        ("scope", "method", "path"),
        [
            ("leads:write", "POST", "leads"),
            ("leads:read", "GET", "leads"),
            ("leads:read", "GET", "leads/5bd3a9ca-6c0c-4f5c-8f7b-7d5f0d6c1a11"),
            ("leads:read", "GET", "leads/5bd3a9ca-6c0c-4f5c-8f7b-7d5f0d6c1a11/decision"),
            ("leads:write", "POST", "leads/5bd3a9ca-6c0c-4f5c-8f7b-7d5f0d6c1a11/responses"),
            ("leads:write", "POST", "leads/5bd3a9ca-6c0c-4f5c-8f7b-7d5f0d6c1a11/reassign"),
            ("leads:write", "POST", "leads/5bd3a9ca-6c0c-4f5c-8f7b-7d5f0d6c1a11/close"),
        ],
    )
    def test_without_the_scope_it_is_403_and_says_which(self, acme, scope, method, path):
        others = {"leads:write", "leads:read", "reports:read"} - {scope}
        key = acme.new_key(*others)

        response = acme.ask(path, key=key) if method == "GET" else acme.send(path, key=key)

        assert scope in problem(response, 403)["detail"]
        assert not Lead.objects.exists()

    def test_a_session_opens_nothing(self, acme, admin_client):
        problem(admin_client.get("/api/v1/leads"), 401)
        problem(admin_client.post("/api/v1/leads", {}, content_type="application/json"), 401)


class TestOrigins:
    @pytest.mark.parametrize(
        "origin",
        [
            None,
            "",
            "null",
            "https://example.com",
            "http://www.example.com",
            "https://www.example.com:8443",
            "https://www.example.com.evil.test",
            "https://www.example.com/",
            "https://evil.test#https://www.example.com",
            "https://www.example.com@evil.test",
            "https://www.example.com, https://evil.test",
        ],
    )
    @pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
    def test_a_lead_from_one_that_is_not_listed_is_403_and_nothing_is_written(self, acme, origin, content_type):
        headers = {} if origin is None else {"origin": origin}

        response = Client().post(acme.url("leads"), b"{}", content_type=content_type, headers=headers)

        problem(response, 403)
        assert "Access-Control-Allow-Origin" not in response
        assert not Lead.objects.exists()

    def test_text_plain_is_no_way_around_the_preflight(self, acme):
        problem(acme.write(raw=b'{"message": "hi"}', content_type="text/plain"), 415)
        problem(acme.write(raw=b"message=hi", content_type="application/x-www-form-urlencoded"), 415)
        assert not Lead.objects.exists()

    def test_the_page_may_read_errors_too(self, acme):
        response = acme.write({"channel": "pigeon"})

        assert problem(response, 400)["errors"].keys() == {"channel"}
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in response["Vary"]

    def test_no_page_elsewhere_may_read_anything(self, acme):
        response = acme.visit(origin="https://evil.test")

        assert response.status_code == 200
        assert "Access-Control-Allow-Origin" not in response
        assert "Origin" in response["Vary"]

    def test_credentials_are_never_asked_for(self, acme):
        assert "Access-Control-Allow-Credentials" not in acme.visit()


class TestPreflight:
    def preflight(self, acme, path, origin):
        headers = {"origin": origin, "access-control-request-method": "POST"}
        return Client().options(acme.url(path), headers=headers)

    @pytest.mark.parametrize(("path", "method"), [("leads", "POST"), ("config", "GET"), ("leads/token", "GET")])
    def test_the_site_may(self, acme, path, method, django_assert_num_queries):
        with django_assert_num_queries(1):
            response = self.preflight(acme, path, ORIGIN)

        assert response.status_code == 204
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert method in response["Access-Control-Allow-Methods"]
        assert response["Access-Control-Allow-Headers"] == "Content-Type, Idempotency-Key"

    def test_nobody_else_may(self, acme):
        response = self.preflight(acme, "leads", "https://evil.test")

        assert not [name for name in response.headers if name.startswith("Access-Control")]

    def test_there_is_none_for_servers(self, acme):
        problem(self.preflight_of_servers(), 405)

    def preflight_of_servers(self):
        return Client().options("/api/v1/leads", headers={"origin": ORIGIN, "access-control-request-method": "POST"})


class TestEverythingElse:
    @pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/leads", "/api/v1/leads/1"])
    @pytest.mark.parametrize("method", ["get", "post", "delete"])
    @pytest.mark.parametrize("debug", [True, False])
    def test_what_does_not_exist_is_a_problem(self, db, settings, path, method, debug):
        settings.DEBUG = debug

        problem(getattr(Client(), method)(path), 404)

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_what_a_route_does_not_do_is_405_and_says_what_it_does(self, acme, method):
        response = getattr(Client(), method)(acme.url("leads"))

        problem(response, 405)
        assert "POST" in response["Allow"]

    def test_a_get_takes_no_lead(self, acme):
        problem(acme.visit("leads"), 405)
        assert not Lead.objects.exists()

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "*/*"])
    def test_everybody_gets_json_whatever_they_accept(self, acme, accept):
        response = acme.visit(accept=accept)

        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"

    def test_a_body_in_chunks_is_refused_before_it_is_taken_for_an_empty_one(self, acme):
        problem(acme.write({"message": "hi"}, transfer_encoding="chunked"), 411)
        assert not Lead.objects.exists()

    def test_a_body_over_64_kb_is_refused(self, acme):
        problem(acme.write({"message": "x" * 70_000}), 413)
        assert not Lead.objects.exists()
