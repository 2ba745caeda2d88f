import pytest

from tests.crawler import client_of, make_tenant, somebody


@pytest.fixture
def acme(db):
    """A workspace on the largest plan, with a row of everything."""
    return make_tenant("zqalpha")


@pytest.fixture
def other(db):
    """Another customer's workspace, whose texts nobody of `acme` may ever see."""
    return make_tenant("zqbeta")


@pytest.fixture
def manager(acme):
    return somebody("manager@acme.test", (acme, "manager"))


@pytest.fixture
def owner(acme):
    return somebody("owner@acme.test", (acme, "owner"))


@pytest.fixture
def both(acme, other):
    """Owner of one, manager of the other."""
    return somebody("both@mail.test", (acme, "owner"), (other, "manager"))


@pytest.fixture
def as_manager(manager, acme):
    return client_of(manager, acme)


@pytest.fixture
def as_owner(owner, acme):
    return client_of(owner, acme)
