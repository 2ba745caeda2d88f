"""The supervisor keeps its processes running, and leaves none behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from config.supervisor import Supervisor

LIMIT_S = 20


def until(what):
    """The first true answer; a bound, not a measure."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if answer := what():
            return answer
    pytest.fail("it did not come to pass in time")


def python(code):
    return [sys.executable, "-c", textwrap.dedent(code)]


def running(pid):
    """Zombies do not count: whoever inherits them reaps them when they like."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def pids(tmp_path):
    """Writes of one line by processes under test, as numbers."""
    file = tmp_path / "pids"
    file.touch()
    return lambda: [int(line) for line in file.read_text().split()]


SLEEPER = """
    import os, signal
    with open({path!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    signal.pause()
"""


def test_starts_again_what_dies_and_ends_all_when_told(tmp_path, pids):
    said, killed = [], []

    def poll():
        started = pids()
        if len(started) == 1 and not killed:
            killed.append(started[0])
            os.kill(started[0], signal.SIGKILL)
        if len(started) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    Supervisor({"web": python(SLEEPER.format(path=str(tmp_path / "pids")))}, say=said.append).run(poll=poll)

    first, second = pids()
    assert not running(first)
    assert not running(second)
    assert said == ["web was ended by SIGKILL; starting it again in 0.5 s", "Stopping ..."]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ends_who_does_not_listen(tmp_path, pids):
    deaf = """
        import os, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open({path!r}, "a") as file:
            file.write(f"{{os.getpid()}}\\n")
        signal.pause()
    """

    def poll():
        if pids():
            os.kill(os.getpid(), signal.SIGINT)

    Supervisor({"web": python(deaf.format(path=str(tmp_path / "pids")))}, say=print, grace_s=0.2).run(poll=poll)

    assert not running(pids()[0])


def test_takes_the_children_of_a_killed_process_with_it(tmp_path, pids):
    parent = f"""
        import os, signal, subprocess, sys
        subprocess.Popen([sys.executable, "-c", {textwrap.dedent(SLEEPER.format(path=str(tmp_path / "pids")))!r}])
        with open({str(tmp_path / "parents")!r}, "a") as file:
            file.write(f"{{os.getpid()}}\\n")
        signal.pause()
    """
    orphans = []

    def poll():
        started = pids()
        if len(started) == 1 and not orphans:
            orphans.append(started[0])
            os.kill(int((tmp_path / "parents").read_text().split()[0]), signal.SIGKILL)
        if len(started) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    Supervisor({"worker": python(parent)}, say=lambda text: None).run(poll=poll)

    until(lambda: not any(running(pid) for pid in pids()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children that their parent died")
def test_leaves_nobody_behind_when_it_is_killed_itself(tmp_path, pids):
    code = f"""
        from config.supervisor import Supervisor
        command = {python(SLEEPER.format(path=str(tmp_path / "pids")))!r}
        Supervisor({{"web": command, "worker": command}}, say=print).run()
    """
    supervisor = subprocess.Popen(python(code), cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
    until(lambda: len(pids()) == 2)

    supervisor.kill()
    supervisor.wait()

    until(lambda: not any(running(pid) for pid in pids()))
