"""The embedded broker: kombu's messages in files, each seen when it is whole.

Kombu's own writes a message where workers look for them, so that one may be taken while it is still empty; the worker
ends on it. With Redis none of this is used.
"""

import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Kombu's, but for how a message is put."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        folder, name = Path(self.data_folder_out), f"{round(monotonic() * 1000)}_{uuid.uuid4()}"
        unfinished = folder / f"{name}.part"  # nobody looks for this ending
        try:
            unfinished.write_bytes(dumps(payload).encode())
            unfinished.rename(folder / f"{name}.{queue}.msg")
        except OSError as error:
            raise ChannelError(f"Cannot put a message into {folder}: {error}") from error


class Transport(filesystem.Transport):
    """Kombu's, with that channel."""

    Channel = Channel
