"""Figures of the running portal in the text format that Prometheus reads."""

from collections import Counter
from threading import Lock

BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Upper bounds in seconds."""


class Metrics:
    """Requests by method, route and status, their time, and how many are at work."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._below: Counter[float] = Counter()
        self._seconds = 0.0
        self._working = 0

    def began(self) -> None:
        """Count a request in."""
        with self._lock:
            self._working += 1

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request out."""
        with self._lock:
            self._working -= 1
            self._requests[method, route, status] += 1
            self._seconds += seconds
            for bound in BUCKETS:
                if seconds <= bound:
                    self._below[bound] += 1

    def text(self, pool: dict[str, int]) -> str:
        """Write all figures; pool: name to figure of the database connections."""
        with self._lock:
            total = sum(self._requests.values())
            lines = ["# TYPE cvl_requests_total counter"]
            lines += [
                f'cvl_requests_total{{method="{method}",route="{route}",status="{status}"}} {number}'
                for (method, route, status), number in sorted(self._requests.items())
            ]
            lines.append("# TYPE cvl_request_seconds histogram")
            lines += [f'cvl_request_seconds_bucket{{le="{bound}"}} {self._below[bound]}' for bound in BUCKETS]
            lines += [
                f'cvl_request_seconds_bucket{{le="+Inf"}} {total}',
                f"cvl_request_seconds_sum {self._seconds:.6f}",
                f"cvl_request_seconds_count {total}",
                "# TYPE cvl_requests_working gauge",
                f"cvl_requests_working {self._working}",
                "# TYPE cvl_database_connections gauge",
            ]
            lines += [f'cvl_database_connections{{state="{name}"}} {number}' for name, number in sorted(pool.items())]
            return "\n".join(lines) + "\n"
