"""`python -m bench`: measure import, draft, approve, checks, small uploads and the portal against their floors."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Engine

from bench import clock, data, documents, floors, machine, portal, report, steps, uploads, usage, works
from bench.clock import Cost
from bench.place import Place, place
from bench.report import Measured

WORKS = ("match", "usage", "zip", "xlsx", "import", "draft", "approve", "checks", "bundle", "upload", "portal")
PORTAL_ROWS = 100_000
"""Invoices that are being settled while the portal is measured."""
BASE = "cvl"
"""The first database of the server: ledger and registers, no invoice."""


class Bench:
    """The measurements of one size, each work on what the one before left."""

    def __init__(self, place: Place, rows: int, repeat: int, only: Sequence[str], show_steps: bool) -> None:
        self.place, self.rows, self.repeat, self.only = place, rows, repeat, only
        self.show_steps = show_steps
        self.companies = max(100, rows // 100)
        self.source = place.home / f"{rows}.csv"
        self.base = self.imported = self.submitted = self.approved = ""
        self.run_id = 0
        self.measured: list[Measured] = []

    def run(self) -> list[Measured]:
        """Measure what was asked for; works that others need run once unmeasured."""
        self.base = self.place.clone(BASE, f"base_{self.rows}")
        works.furnish(self.place, self.base, self.companies)
        data.write_template(self.source, self.rows, self.companies)
        for work in WORKS:
            needed = work in self.only or any(other in self.only for other in WORKS[WORKS.index(work) + 1 :])
            if needed:
                getattr(self, f"_{work}")(self.repeat if work in self.only else 0)
        for name in {self.base, self.imported, self.submitted, self.approved} - {""}:
            self.place.drop(name)
        self.source.unlink()
        return self.measured

    def _note(self, work: str) -> Measured:
        one = Measured(work, self.rows)
        self.measured.append(one)
        return one

    @contextmanager
    def _opened(self, database: str, title: str) -> Iterator[Engine]:
        self.place.settle()
        with (
            self.place.engine(database) as engine,
            steps.timed(self.place.home, f"{title} {self.rows:,}") if self.show_steps else nullcontext(),
        ):
            yield engine

    @contextmanager
    def _cost(self, one: Measured) -> Iterator[None]:
        """Measure one repetition of a work."""
        with clock.measured(self.place.home) as cost:
            yield
        one.costs.append(cost)

    def _import(self, repeat: int) -> None:
        """Measure the import into a fresh ledger each time, after its floor."""
        one = self._note("import") if repeat else Measured("import", self.rows)
        peak = 0.0
        for n in range(max(1, repeat)):
            name = self.place.clone(self.base, f"import_{self.rows}_{n}")
            if repeat:
                other = self.place.clone(self.base, f"floor_{self.rows}")
                self.place.settle()
                one.floors.append(floors.run_import(self.place, other, self.source))
                self.place.drop(other)
            with self._opened(name, "import") as engine:
                machine.forget_peak()
                with self._cost(one):
                    works.run_import(engine, self.source, self.rows)
                peak = max(peak, machine.peak_mib())
            if self.imported:
                self.place.drop(self.imported)
            self.imported = name
            _tell(one)
        verdict = "holds" if peak <= report.IMPORT_MIB else "**does not hold**"
        one.note = f"Python {peak:.0f} MiB resident (≤ {report.IMPORT_MIB}: {verdict})"

    def _draft(self, repeat: int) -> None:
        """Measure the draft and its floor in turn, after one warm draft; the last draft is submitted."""
        one = self._note("draft") if repeat else Measured("draft", self.rows)
        first = Measured("draft", self.rows)
        with self._opened(self.imported, "first draft") as engine, self._cost(first):
            self.run_id = works.run_draft(engine)
        one.note = f"the first one, on tables just loaded: {first.seconds[0]:.2f} s"
        if repeat:
            floors.keep(self.place, self.imported, "draft")
        for _ in range(repeat):
            self._drop_draft()
            with self._opened(self.imported, "draft") as engine, self._cost(one):
                self.run_id = works.run_draft(engine)
            self.place.settle()
            one.floors.append(floors.run_insert(self.place, self.imported, "draft"))
            _tell(one)
        if {"approve", "checks", "bundle", "upload", "portal"} & set(self.only):
            submit = self._note("submit")
            with self._opened(self.imported, "submit") as engine, self._cost(submit):
                works.run_submit(engine, self.run_id)
        self.submitted = self.imported

    def _drop_draft(self) -> None:
        """Empty the work tables of drafts, so that each draft writes into fresh ones."""
        with self.place.root(self.imported) as root:
            root.execute("TRUNCATE cvl.draft_line, cvl.draft_listed, cvl.draft_company, cvl.open_run")

    def _approve(self, repeat: int) -> None:
        """Measure the approval of a clone each time, and then its floor in the same clone."""
        one = self._note("approve") if repeat else Measured("approve", self.rows)
        for n in range(max(1, repeat)):
            name = self.place.clone(self.submitted, f"approve_{self.rows}_{n}")
            with self._opened(name, "approve") as engine, self._cost(one):
                works.run_approve(engine, self.run_id)
            if repeat:
                one.note = f"{floors.keep(self.place, name, 'approve'):,} transfers"
                self.place.settle()
                one.floors.append(floors.run_insert(self.place, name, "approve"))
            if self.approved:
                self.place.drop(self.approved)
            self.approved = name
            _tell(one)

    def _match(self, repeat: int) -> None:
        """Measure matching payments with as many statement lines, and listing what is left."""
        if not repeat:
            return
        rows = min(self.rows, 300_000)
        name = self.place.clone(self.base, f"match_{rows}")
        works.fill_match(self.place, name, rows)
        one = Measured("match", rows)
        self.measured.append(one)
        for _ in range(repeat):
            with self._opened(name, "match") as engine, self._cost(one):
                one.note = works.run_match(engine, rows)
            _tell(one)
        self.place.drop(name)

    def _usage(self, repeat: int) -> None:
        """Measure the import of ten usage lines for each row, after copying the same file into a table of text."""
        if not repeat:
            return
        lines, source, peak = self.rows * usage.LINES_PER_ROW, self.place.home / "usage.csv", 0.0
        usage.write(source, lines)
        first = self.place.home / "few.csv"
        data.write_template(first, 6 * usage.INVOICES, self.companies)
        one = Measured("usage", lines)
        self.measured.append(one)
        for n in range(repeat):
            name = self.place.clone(self.base, f"usage_{lines}_{n}")
            with self.place.engine(name) as engine:
                works.run_import(engine, first, 6 * usage.INVOICES)
            self.place.settle()
            one.floors.append(usage.floor(self.place, name, source))
            with self._opened(name, "usage") as engine:
                machine.forget_peak()
                with self._cost(one):
                    usage.run(engine, source, lines)
                peak = max(peak, machine.peak_mib())
            self.place.drop(name)
            _tell(one)
        one.note = f"Python {peak:.0f} MiB resident, {lines / min(one.seconds):,.0f} lines a second"
        source.unlink()

    def _zip(self, repeat: int) -> None:
        """Measure the import of a zip of XML documents, after parsing the same bytes with lxml alone."""
        count = min(self.rows, documents.DOCUMENTS)
        path = self.place.home / f"{count}.zip"
        self._documents("zip", repeat, count, path, lambda: documents.write_zip(path, count, self.companies))

    def _xlsx(self, repeat: int) -> None:
        """Measure the import of a workbook, after reading its cells alone."""
        count = min(self.rows, documents.CELLS)
        path, source = self.place.home / f"{count}.xlsx", self.place.home / f"{count}_cells.csv"

        def write() -> None:
            data.write_template(source, count, self.companies)
            documents.write_workbook(path, source)
            source.unlink()

        self._documents("xlsx", repeat, count, path, write)

    def _documents(self, work: str, repeat: int, count: int, path: Path, write: Callable[[], None]) -> None:
        """Measure the import of what is not a csv into a fresh ledger each time, after its floor."""
        if not repeat:
            return
        write()
        one = Measured(work, count)
        self.measured.append(one)
        for n in range(repeat):
            one.floors.append((documents.parse_bare if work == "zip" else documents.read_cells)(path))
            name = self.place.clone(self.base, f"{work}_{count}_{n}")
            with self._opened(name, work) as engine, self._cost(one):
                (documents.run_zip if work == "zip" else works.run_import)(engine, path, count)
            self.place.drop(name)
            one.note = f"{count / one.costs[-1].seconds:,.0f} {'files' if work == 'zip' else 'rows'} per second"
            _tell(one)
        path.unlink()

    def _checks(self, repeat: int) -> None:
        """Measure all checks on the approved books, after one first time on tables just written."""
        if not repeat:
            return
        one, first = self._note("checks"), Measured("checks", self.rows)
        with self._opened(self.approved, "first checks") as engine, self._cost(first):
            works.run_checks(engine)
        one.note = f"the first time, right after the approval: {first.seconds[0]:.1f} s"
        for _ in range(repeat):
            with self._opened(self.approved, "checks") as engine, self._cost(one):
                works.run_checks(engine)
            _tell(one)

    def _bundle(self, repeat: int) -> None:
        """Measure the export of the approved books and the verification of what was exported."""
        if not repeat:
            return
        out = self.place.home / f"{self.rows}.zip"
        export, verify = self._note("export"), self._note("verify")
        for _ in range(repeat):
            with self._opened(self.approved, "export") as engine, self._peak(export):
                works.run_export(engine, out)
            with self._peak(verify):
                works.run_verify(out)
        verify.note += f", bundle {out.stat().st_size >> 20:,} MiB"
        out.unlink()

    @contextmanager
    def _peak(self, one: Measured) -> Iterator[None]:
        """Measure a work and the memory that Python takes for it."""
        machine.forget_peak()
        with self._cost(one):
            yield
        one.note = f"Python {machine.peak_mib():.0f} MiB resident"
        _tell(one)

    def _upload(self, repeat: int) -> None:
        """Measure small uploads into the approved books, alone and eight at once."""
        if not repeat:
            return
        with self._opened(self.approved, "uploads") as engine:
            single, many = uploads.run(engine, self.place.home, self.companies)
        for work, seconds in (("upload, alone", single), (f"upload, {uploads.AT_ONCE} at once", many)):
            one = self._note(work)
            one.costs = [Cost(each) for each in seconds]
            one.note = report.shares(seconds)
            _tell(one)

    def _portal(self, repeat: int) -> None:
        """Measure pages and uploads over HTTP on the approved books, beside drafts of as many invoices again."""
        if not repeat:
            return
        rows = min(self.rows, PORTAL_ROWS)
        with self._opened(self.approved, "portal") as engine:
            portal.furnish(self.place, engine, self.companies, rows, 10**12)
            works.run_draft(engine)
            self.place.settle()
            site, quiet = portal.measure(self.place, engine, self.approved, self.companies, 2 * 10**12)
        for kind in ("page", "upload", "confirm", "API upload", "draft"):
            seconds = site.times[kind]
            one = Measured(f"portal: {kind}", rows)
            one.costs = [Cost(each) for each in seconds]
            one.note = report.shares(seconds)
            self.measured.append(one)
            _tell(one)
        print("\n".join(portal.told(site, quiet)), flush=True)


def _tell(one: Measured) -> None:
    """Print a figure as soon as it is there."""
    cost, floor = one.costs[-1], one.floors[-1] if one.floors else Cost()
    print(
        f"{one.work} {one.rows:,}: {cost.seconds:.2f} s (cpu {cost.cpu or 0:.2f}), floor {floor.seconds:.2f} s"
        f" (cpu {floor.cpu or 0:.2f}); {one.note}",
        flush=True,
    )


def main() -> None:
    """Read the options, measure, print the table and write RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(WORKS), help=",".join(WORKS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--steps", action="store_true", help="print the time of each statement; writes no results")
    chosen = parser.parse_args()
    lines = []
    with place() as there:
        measured: list[Measured] = []
        load = machine.load()
        for rows in chosen.rows:
            measured += Bench(there, rows, chosen.repeat, chosen.only, chosen.steps).run()
        lines = [f"- {machine.hardware()}", f"- {machine.versions(there)}", f"- {machine.settings(there)}"]
        lines.append(f"- load average of the machine before: {load:.1f}, after: {machine.load():.1f}")
    figures = report.table(measured)
    print("\n".join(["", *lines, "", *figures]))
    if not chosen.steps and set(chosen.only) == set(WORKS):
        report.write([*lines, "", *figures])


if __name__ == "__main__":
    main()
