from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection


@pytest.fixture
def channel(tmp_path):
    folders = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "processed_folder": str(tmp_path / "done"),
    }
    with Connection(
        "filesystem://localhost", transport="config.embedded_broker:Transport", transport_options=folders
    ) as connection:
        yield connection.default_channel


def test_a_message_is_seen_only_when_it_is_whole(channel, monkeypatch):
    waiting, rename = [], Path.rename

    def count_and_rename(part, message):
        assert part.read_text()
        waiting.append(channel._size("mail"))
        return rename(part, message)

    monkeypatch.setattr(Path, "rename", count_and_rename)
    channel._put("mail", {"lead": 7})

    assert waiting == [0]
    assert channel._size("mail") == 1
    assert channel._get("mail") == {"lead": 7}
    with pytest.raises(Empty):
        channel._get("mail")


def test_a_message_goes_to_its_queue_alone(channel):
    channel._put("mail", {"lead": 7})

    with pytest.raises(Empty):
        channel._get("other")
    assert channel._get("mail") == {"lead": 7}
