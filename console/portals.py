"""`cvl serve` and `cvl user password`: start the portal, and let a user in."""

import os
import socket
import sys
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine

from console import logs
from console.answer import Answer
from console.chinese import NUMBER, argument, flag, option
from console.door import Verb
from voucher import access, logins, second
from voucher.database import run
from voucher.errors import Misused, Refused, cause

_BACKLOG, _PORTS, _STREAM = 2048, 65_536, socket.SOCK_STREAM


def serve(engine: Engine, url: str | None, host: str, port: int, trusted: str, *, passwords: bool) -> Answer:
    """Serve until told to stop; the first start gives the first admin a one-time password."""
    from portal.serve import (
        Settings,  # the web framework takes half a second, which no other command should wait
        configured,
    )
    from portal.serve import serve as run_server

    logs.start(always=True)
    settings = Settings(_origin(url, host, port), required(), configured())
    taken = _listen(host, port)
    made = run(engine, _everyone) if passwords else [each for each in [run(engine, logins.first)] if each]
    for name, password in made:
        _say(f"一次性口令　{name}　{password}")
    if made:
        _say("请转交本人；登录后须先改口令。口令只显示这一次。")
    _say(f"已启动：{settings.origin}/（Ctrl-C 停止）")
    run_server(engine, settings, taken, trusted)
    return Answer({"origin": settings.origin, "one_time": [name for name, _ in made]}, ["已停止。"])


def _origin(url: str | None, host: str, port: int) -> str:
    """Return how browsers name the portal. Raises Misused: without TLS it is served on this machine alone."""
    local = host in ("127.0.0.1", "localhost", "::1")
    if url is None:
        if not local:
            raise Misused("url_needed", "对外提供服务时须用 --url 写明网址（https），由反向代理提供 TLS。")
        return f"{'http'}://{host}:{port}"
    parts = urlsplit(url)
    inner = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.netloc or parts.path not in ("", "/") or (parts.scheme != "https" and not inner):
        raise Misused("bad_url", f"“{url}”不能用：请写成 https 的网址，不带路径。")
    return f"{parts.scheme}://{parts.netloc}"


def _listen(host: str, port: int) -> list[socket.socket]:
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


def _everyone(db: Connection) -> list[tuple[str, str]]:
    """Give every user who cannot log in yet a one-time password."""
    found = [row["name"] for row in logins.everyone(db) if row["set_at"] is None or row["one_time"]]
    if not found and not logins.everyone(db):
        raise Refused("first_admin", "还没有用户。请先运行 cvl user add 用户名 --role admin。")
    return [(name, logins.one_time_password(db, name)) for name in found]


def second_factor(engine: Engine, as_user: str | None, name: str) -> Answer:
    """Take a user's second factor away."""

    def work(db: Connection) -> bool:
        admin = access.require(db, as_user, "user second")
        logins.end_all(db, name)
        logins.note(db, "second_reset", name=admin.name, subject=name)
        return second.drop(db, name)

    dropped = run(engine, work)
    text = f"已取消“{name}”的二次验证，其此前的登录全部失效。" if dropped else f"“{name}”没有启用二次验证。"
    return Answer({"name": name, "dropped": dropped}, [text])


def required() -> frozenset[str]:
    """Read which roles must have a second factor (CVL_SECOND_FACTOR, comma separated). Raises Misused."""
    roles = frozenset(filter(None, os.environ.get("CVL_SECOND_FACTOR", "").replace(" ", "").split(",")))
    if unknown := roles - set(access.ROLES):
        raise Misused("bad_role", f"CVL_SECOND_FACTOR 中没有这样的角色：{'、'.join(sorted(unknown))}。")
    return roles


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def password(engine: Engine, as_user: str | None, name: str) -> Answer:
    """Give a user a new one-time password."""

    def work(db: Connection) -> str:
        admin = access.require(db, as_user, "user password")
        made = logins.one_time_password(db, name)
        logins.note(db, "password_given", name=admin.name, subject=name)
        return made

    made = run(engine, work)
    text = [f"用户“{name}”的一次性口令：{made}", "请转交本人；登录后须先改口令。此前的登录全部失效。"]
    return Answer({"name": name, "one_time_password": made}, text)


VERBS = (
    Verb(
        "serve",
        serve,
        "启动门户网站（网页和 HTTP API），直到收到停止信号。\n"
        "首次启动时，为第一个管理员生成并显示一次性口令。对外服务须用 --url 写明 https 网址，由反向代理提供 TLS。",
        [
            option("--url", help="浏览器使用的网址；不写则只供本机使用", shown="网址"),
            option("--host", help="监听的地址，默认 127.0.0.1", shown="地址", default="127.0.0.1"),
            option("--port", kind=NUMBER, help="监听的端口，默认 8000", shown="端口", default="8000"),
            option("--trusted", help="可信的反向代理地址，逗号分隔", shown="地址", default=""),
            flag("--passwords", help="为还没有口令的每个用户生成并显示一次性口令（演示用）"),
        ],
    ),
    Verb(
        "user password",
        password,
        "为用户生成新的一次性口令（只显示这一次），其此前的登录全部失效。",
        [argument("name", "用户名")],
        acting=True,
    ),
    Verb(
        "user second",
        second_factor,
        "取消用户的二次验证：手机和恢复码都丢失时用。其此前的登录全部失效。",
        [argument("name", "用户名")],
        acting=True,
    ),
)
