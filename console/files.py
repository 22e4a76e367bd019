"""Write a file that a command makes."""

from pathlib import Path

from voucher.errors import Refused, cause


def write(target: Path, data: bytes) -> None:
    """Write a file as a whole, or leave what was there. Raises Refused (`cannot_write`)."""
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Refused("cannot_write", f"写不到 {target}（{cause(error)}）。请用 --out 换一个位置。") from error
