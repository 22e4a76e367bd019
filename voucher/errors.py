"""What the operator can mend: exceptions with a stable code, a Chinese sentence and an exit status."""

import errno

_SYSTEM = {
    errno.ENOENT: "没有这个文件或文件夹", errno.EACCES: "没有权限", errno.EPERM: "没有权限",
    errno.EISDIR: "是一个文件夹", errno.ENOTDIR: "路径中有一段不是文件夹", errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "超过磁盘限额", errno.EFBIG: "超过文件大小的限制", errno.EIO: "磁盘读写出错",
    errno.EROFS: "只读的磁盘", errno.ENAMETOOLONG: "名称太长",
    errno.EADDRINUSE: "已被占用", errno.EADDRNOTAVAIL: "本机没有这个地址",
}  # fmt: skip


class CvlError(Exception):
    """Base of all refusals. code: stable identifier; message: one Chinese sentence that says what to do next."""

    exit_status = 1

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Refused(CvlError):
    """A rule forbids it; nothing has changed (exit 1)."""


class Misused(CvlError):
    """The command line itself is wrong or incomplete (exit 2)."""

    exit_status = 2


class Busy(CvlError):
    """Another process holds what is needed and did not let go in time (exit 4)."""

    exit_status = 4


class Broken(CvlError):
    """The books or the seal do not agree with themselves (exit 5)."""

    exit_status = 5


class Stopped(CvlError):
    """What only a programmer can mend stopped one of many files; the others went on (exit 70)."""

    exit_status = 70


class Unreachable(CvlError):
    """The database cannot be reached or started (exit 6)."""

    exit_status = 6


def cause(error: OSError) -> str:
    """Say in Chinese why the system refused a file; in its own words where that is none of the usual causes."""
    return _SYSTEM.get(error.errno or 0, error.strerror or str(error))
