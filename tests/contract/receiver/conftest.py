"""The real web process's application on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from bot.entrypoints.http.application import application
from bot.entrypoints.http.service import Service
from bot.settings import Settings
from tests.contract.receiver.sender import Sender, note_identity, settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = settings_in(tmp_path)
    note_identity(found)
    return found


@pytest.fixture
def sender(settings: Settings) -> Iterator[Sender]:
    service = Service(settings)
    bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = uvicorn.Server(uvicorn.Config(application(service), log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    opened = Sender(url, settings.data_dir, settings, service)
    yield opened
    opened.client.close()
    server.should_exit = True
    thread.join(timeout=30)
    bound.close()
    assert not thread.is_alive()
