"""Serve the portal until it is told to stop; requests at work are finished first."""

import socket
import sys
from contextlib import suppress

import uvicorn
from sqlalchemy import Engine

from portal.app import make_app
from portal.oidc import configured
from portal.wall import Settings
from voucher.errors import Misused, Refused, cause

__all__ = ["Settings", "configured", "listen", "serve"]
GRACE_SECONDS = 30
_BACKLOG, _PORTS, _STREAM = 2048, 65_536, socket.SOCK_STREAM
SWITCH_SECONDS = 0.0005
"""How long one thread computes before another may: a page that only waits for the database is not to wait ten times
for an upload that reads a file."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Take an address, before anybody is told that it is served. Raises Refused when it is not to be had, Misused."""
    taken: list[socket.socket] = []
    if not 0 < port < _PORTS:  # getaddrinfo would take 70000 for 4464
        raise Misused("bad_port", f"没有端口 {port}，--port 须为 1 至 {_PORTS - 1}。")
    try:
        for family, place in dict.fromkeys((i[0], i[4][:2]) for i in socket.getaddrinfo(host, port, type=_STREAM)):
            taken.append(socket.create_server((str(place[0]), int(place[1])), family=family, backlog=_BACKLOG))
    except socket.gaierror as error:
        raise Refused("no_address", f"没有“{host}”这个地址。请改正 --host，只供本机使用时不必写。") from error
    except OSError as error:
        for each in taken:
            each.close()
        said = f"不能在 {host} 的端口 {port} 上提供服务（{cause(error)}）。请停掉占用它的程序，或用 --port 换一个端口。"
        raise Refused("no_address", said) from error
    return taken


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
