"""What every page shares: its security headers, and the API's own pages."""

import re

import pytest


def policy(response):
    """The directives of the Content-Security-Policy, each with its set of sources."""
    return {
        name: set(sources)
        for name, *sources in (directive.split() for directive in response["Content-Security-Policy"].split(";"))
    }


@pytest.mark.parametrize("address", ["/healthz", "/api/v1/docs/", "/api/v1/nothing", "/nothing"])
def test_pages_run_nothing_inline(client, address):
    directives = policy(client.get(address))

    assert directives["default-src"] == {"'self'"}
    assert directives["object-src"] == directives["base-uri"] == directives["frame-ancestors"] == {"'none'"}
    assert not any("unsafe" in source for sources in directives.values() for source in sources)


@pytest.mark.django_db
@pytest.mark.portable
def test_the_admin_alone_may_what_its_theme_needs(client):
    directives = policy(client.get("/admin/login/"))

    assert directives["script-src"] == {"'self'", "'unsafe-eval'"}
    assert directives["style-src"] == {"'self'", "'unsafe-inline'"}
    assert directives["default-src"] == {"'self'"}


@pytest.mark.parametrize("address", ["/administration/", "/api/v1/admin/", "/x/admin/"])
def test_an_address_that_resembles_the_admins_is_no_admin(client, address):
    assert "unsafe" not in client.get(address)["Content-Security-Policy"]


def test_pages_tell_other_sites_nothing_and_stay_out_of_their_frames(client):
    response = client.get("/healthz")

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_the_api_describes_itself(client):
    response = client.get("/api/v1/schema/")

    assert response.status_code == 200
    assert response.content.startswith(b"openapi: 3.")


@pytest.mark.django_db  # closing a response looks after the connection
def test_the_apis_pages_take_everything_from_here(client):
    page = client.get("/api/v1/docs/")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.content.decode())

    assert len(addresses) == 5
    assert all(address.startswith("/") for address in addresses)
    for address in addresses:
        response = client.get(address.replace("&amp;", "&"))
        response.close()  # static files are sent from open ones
        assert response.status_code == 200
    assert "<style" not in page.content.decode()
