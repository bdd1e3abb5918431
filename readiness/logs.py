"""What a log line must not hold."""

import logging
import re

_ACCESS = re.compile(r"(/c/|/staff/welcome/[^/\s]+/)[^/\s]+")


class WithoutCodes(logging.Filter):
    """Takes a group's access code, and the token that sets a password, out of logged paths."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _ACCESS.sub(r"\1…", record.getMessage())
        record.args = ()
        return True
