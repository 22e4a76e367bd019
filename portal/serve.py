"""Serve the portal until it is told to stop; requests at work are finished first."""

import socket
import sys
from contextlib import suppress

import uvicorn
from sqlalchemy import Engine

from portal.app import make_app
from portal.oidc import configured
from portal.wall import Settings

__all__ = ["Settings", "configured", "serve"]
GRACE_SECONDS = 30
SWITCH_SECONDS = 0.0005
"""How long one thread computes before another may: a page that only waits for the database is not to wait ten times
for an upload that reads a file."""


def serve(engine: Engine, settings: Settings, taken: list[socket.socket], trusted: str) -> None:
    """Serve on the addresses taken. trusted: of proxies whose X-Forwarded-For counts, comma separated."""
    sys.setswitchinterval(SWITCH_SECONDS)
    config = uvicorn.Config(
        make_app(engine, settings), log_config=None, access_log=False, server_header=False,
        proxy_headers=bool(trusted), forwarded_allow_ips=trusted or None, timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=65_536, lifespan="off",
    )  # fmt: skip
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=taken)
