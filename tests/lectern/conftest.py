"""What several tests of the command line and its processes need."""

import socket
from contextlib import closing

import pytest


@pytest.fixture
def dead_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
    return port
