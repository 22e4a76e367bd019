"""People at the portal: they turn pages while eight providers upload at once and a settlement is being drafted.

Over HTTP to `cvl serve` in a process of its own; times are those that its clients saw.
"""

import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from threading import Barrier, BrokenBarrierError, Event
from typing import Any

import httpx2 as httpx
from sqlalchemy import Engine, make_url

from bench import clock, data, machine, works
from bench.place import Place
from bench.report import quantile, shares
from importers.registry import import_registry
from portal.pages import PAGES
from voucher import access, logins, tokens
from voucher.database import query, run

PROVIDERS, ROWS = 8, 20
STAFF = ("maker", "checker", "auditor", "admin")
SECONDS, WARM_SECONDS, REST_SECONDS = 45.0, 8.0, 0.25
"""How long is measured, how long before that the load runs unmeasured, how long anybody looks at a page."""
QUIET_ROUNDS = 5
FILES = 2_400
"""More small files than can be handed in meanwhile."""
_PASSWORD = "一句很长的话，测速的时候用"
_TOKEN = re.compile(r'name="token" value="([^"]+)"')


@dataclass
class Site:
    """The portal as its clients see it. times: kind of request to seconds; pages: route to seconds; cpu: of all
    of it, clients too, while it was measured.
    """

    place: Place
    engine: Engine
    database: str
    pid: int = 0
    origin: str = ""
    measuring: bool = False
    cpu: float = 0.0
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    pages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def ask(
        self, client: httpx.Client, kind: str, method: str, path: str, name: str = "", **more: Any
    ) -> httpx.Response:
        """Ask once and note how long the answer took."""
        headers = {"origin": self.origin} | more.pop("headers", {})
        began = time.perf_counter()
        answer = client.request(method, path, headers=headers, **more)
        seconds = time.perf_counter() - began
        assert answer.status_code in (200, 303), (method, path, answer.status_code, answer.text[-2000:])
        if self.measuring:
            self.times[kind].append(seconds)
            if kind == "page":
                self.pages[name or path].append(seconds)
        return answer


def furnish(place: Place, engine: Engine, companies: int, rows: int, first: int) -> None:
    """Add eight providers with people of their own, and invoices that wait for their settlement."""
    _, file = data.write_registry(place.home, companies, PROVIDERS)
    taken = import_registry(engine, file, works.MAKER)
    assert taken.exit_status == 0, taken.problems[:3]
    for n, code in enumerate(data.providers(PROVIDERS), 1):
        run(engine, lambda db, n=n, code=code: access.add(db, "admin", f"provider{n}", "provider", code))  # type: ignore[misc]
    run(engine, lambda db: access.add(db, "admin", "auditor", "auditor"))
    source = place.home / "waiting.csv"
    data.write_template(source, rows, companies, first=first, sellers=range(PROVIDERS))
    works.run_import(engine, source, rows)
    source.unlink()


@contextmanager
def served(site: Site) -> Iterator[None]:
    """Start `cvl serve` on a free port, wait until it is ready, and stop it in the end."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    url = make_url(site.place.url).set(database=site.database).render_as_string(hide_password=False)
    log = (site.place.home / "serve.log").open("wb")
    with log, subprocess.Popen(
        [sys.executable, "-m", "console", "serve", "--port", str(port)],
        env=os.environ | {"CVL_DATABASE_URL": url, "CVL_LOG": "json"}, stdout=log, stderr=log,
    ) as process:  # fmt: skip
        site.origin, site.pid = f"{'http'}://127.0.0.1:{port}", process.pid
        try:
            for _ in range(200):
                try:
                    if httpx.get(f"{site.origin}/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(60)


def enter(site: Site, client: httpx.Client, name: str) -> None:
    """Log in as anybody does for the first time: with a one-time password, which is changed at once."""
    given = run(site.engine, lambda db: logins.one_time_password(db, name))
    for password in (given, _PASSWORD):
        token = _token(site.ask(client, "login", "GET", "/login"))
        site.ask(client, "login", "POST", "/login", data={"token": token, "name": name, "password": password})
        if password == given:
            token = _token(site.ask(client, "login", "GET", "/password"))
            new = {"token": token, "old": given, "new": _PASSWORD, "again": _PASSWORD}
            site.ask(client, "login", "POST", "/password", data=new)


def _token(answer: httpx.Response) -> str:
    found = _TOKEN.search(answer.text)
    assert found is not None, answer.text[-2000:]
    return found[1]


def upload(site: Site, client: httpx.Client, bearer: str, files: list[Path]) -> None:
    """Hand in two files: one on the pages, where it is checked, looked at and confirmed, and one over the API."""
    token = _token(site.ask(client, "page", "GET", "/uploads"))
    time.sleep(REST_SECONDS)
    with files[0].open("rb") as file:
        sent = site.ask(client, "upload", "POST", "/uploads", data={"token": token}, files={"files": file})
    waiting = sent.headers["location"]
    check = site.ask(client, "page", "GET", waiting, "/uploads/waiting/{id}")
    time.sleep(REST_SECONDS)
    fields = {"token": _token(check), "id": waiting.rpartition("/")[2]}
    done = site.ask(client, "confirm", "POST", "/uploads/confirm", data=fields)
    site.ask(client, "page", "GET", done.headers["location"], "/uploads/{id}")
    time.sleep(REST_SECONDS)
    with files[1].open("rb") as file:
        headers = {"authorization": f"Bearer {bearer}", "idempotency-key": secrets.token_hex(8)}
        site.ask(client, "API upload", "POST", "/api/v1/uploads", files={"file": file}, headers=headers)


def paths(site: Site, role: str) -> list[tuple[str, str]]:
    """List the pages that a role may open, with something there to see: the path and the route."""
    invoice = run(site.engine, lambda db: query(db, "queries/console/invoices.sql", **_invoices(rows=1)))[0]["number"]
    runs = run(site.engine, lambda db: query(db, "queries/settle/list.sql", cutoff=None))
    known = {"/invoices/{number}": invoice, "/explanations/{number}": invoice, "/runs/{id}": runs[0]["run_id"],
             "/reports/{name}": "funnel", "/seals/{no}": 1}  # fmt: skip
    return [
        (re.sub(r"\{\w+\}", str(known.get(page.path, "")), page.path), page.path)
        for page in PAGES
        if page.method == "GET" and role in access.RIGHTS[page.right] and page.path not in ("/login", "/ledger/account")
        and page.right.split()[0] == "view" and ("{" not in page.path or page.path in known)
    ]  # fmt: skip


def _invoices(**which: Any) -> dict[str, Any]:
    names = ("company", "provider", "status", "uploader", "number", "month", "rows", "skip", "cutoff")
    return dict.fromkeys(names) | which


def quiet(site: Site, clients: dict[str, httpx.Client]) -> dict[str, tuple[float, float]]:
    """Turn every page some times with nothing else going on: route to seconds and processor seconds of one."""
    costs: dict[str, tuple[float, float]] = {}
    for name in STAFF:
        for path, route in paths(site, name):
            site.ask(clients[name], "warm", "GET", path)
            before, began = _cpu(site), time.perf_counter()
            for _ in range(QUIET_ROUNDS):
                site.ask(clients[name], "quiet", "GET", path)
            seconds, cpu = time.perf_counter() - began, _cpu(site) - before
            worst = max(costs.get(route, (0.0, 0.0)), (seconds / QUIET_ROUNDS, cpu / QUIET_ROUNDS))
            costs[route] = worst
    return costs


def _cpu(site: Site) -> float:
    return clock.process_cpu(site.pid) + (clock.server_cpu(site.place.home) or 0.0)


def load(site: Site, clients: dict[str, httpx.Client], bearers: dict[str, str], files: list[Path]) -> None:
    """Upload with all providers at once, round after round, turn pages, draft again and again; measure it all."""
    stop, turn = Event(), Barrier(PROVIDERS)

    def provider(name: str, own: list[Path]) -> None:
        with suppress(BrokenBarrierError):
            while not stop.is_set():
                turn.wait()
                upload(site, clients[name], bearers[name], [own.pop(), own.pop()])
        turn.abort()

    def reader(name: str) -> None:
        for path, route in cycle(paths(site, name)):
            if stop.wait(REST_SECONDS):
                return
            site.ask(clients[name], "page", "GET", path, route)

    def drafter() -> None:
        while not stop.is_set():
            began = time.perf_counter()
            works.run_draft(site.engine)
            if site.measuring:
                site.times["draft"].append(time.perf_counter() - began)

    with ThreadPoolExecutor(PROVIDERS + len(STAFF) + 1) as pool:
        working = [pool.submit(provider, f"provider{n + 1}", files[n::PROVIDERS]) for n in range(PROVIDERS)]
        working += [pool.submit(reader, name) for name in STAFF]
        working.append(pool.submit(drafter))
        stop.wait(WARM_SECONDS)
        before, site.measuring = _cpu(site) + time.process_time(), True
        stop.wait(SECONDS)
        site.measuring, site.cpu = False, _cpu(site) + time.process_time() - before
        stop.set()
        for each in working:
            each.result()


def measure(place: Place, engine: Engine, database: str, companies: int, first: int) -> tuple[Site, dict[str, Any]]:
    """Measure the portal on a ledger; returns the times under load, and route to the cost of a page in quiet."""
    site = Site(place, engine, database)
    files = []
    for n in range(FILES):
        files.append(place.home / f"portal-{n}.csv")
        at = first + n * ROWS
        data.write_template(files[-1], ROWS, companies, seed=n, first=at, sellers=[n % PROVIDERS])
    admin = access.User("admin", "admin", None)
    with served(site), ExitStack() as stack:
        providers = [f"provider{n + 1}" for n in range(PROVIDERS)]
        clients = {
            name: stack.enter_context(httpx.Client(base_url=site.origin, timeout=60)) for name in (*STAFF, *providers)
        }
        bearers = {}
        for name, client in clients.items():
            enter(site, client, name)
            if name in providers:
                bearers[name] = run(engine, lambda db, name=name: tokens.make(db, admin, name, "测速", ["uploads"], 1))  # type: ignore[misc]
        costs = quiet(site, clients)
        load(site, clients, bearers, files)
    return site, costs


def told(site: Site, quiet: dict[str, tuple[float, float]]) -> list[str]:
    """Write the slowest pages under load, and what a page costs in quiet, the dearest first."""
    lines = [
        f"beside uploads and drafts, load average {machine.load():.1f}: portal, server and clients together had"
        f" {site.cpu:.0f} s of the processors in {SECONDS:.0f} s; slowest pages:"
    ]
    slow = sorted(site.pages.items(), key=lambda pair: -quantile(pair[1], 0.95))[:8]
    lines += [f"  {route}: {shares(seconds)} (n={len(seconds)})" for route, seconds in slow]
    cpu = sorted(each[1] for each in quiet.values())
    lines.append(f"a page in quiet: cpu median {median(cpu) * 1000:.0f} ms, most {cpu[-1] * 1000:.0f} ms; dearest:")
    dear = sorted(quiet.items(), key=lambda pair: -pair[1][1])[:8]
    return lines + [f"  {route}: {s * 1000:.0f} ms, cpu {c * 1000:.0f} ms" for route, (s, c) in dear]
