"""What a log line must not hold."""

import logging
import re

_ACCESS = re.compile(r"(/c/)[^/\s]+")


class WithoutCodes(logging.Filter):
    """Takes the access code of a group out of the paths that are logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _ACCESS.sub(r"\1…", record.getMessage())
        record.args = ()
        return True
