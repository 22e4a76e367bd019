"""Serve the portal until it is told to stop; requests at work are finished first."""

import uvicorn
from sqlalchemy import Engine

from portal.app import make_app
from portal.oidc import configured
from portal.wall import Settings

__all__ = ["Settings", "configured", "serve"]
GRACE_SECONDS = 30


def serve(engine: Engine, settings: Settings, host: str, port: int, trusted: str) -> None:
    """Serve on an address. trusted: addresses of proxies whose X-Forwarded-For counts, comma separated."""
    uvicorn.run(
        make_app(engine, settings), host=host, port=port, log_config=None, access_log=False, server_header=False,
        proxy_headers=bool(trusted), forwarded_allow_ips=trusted or None, timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=65_536, lifespan="off",
    )  # fmt: skip
