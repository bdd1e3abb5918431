#!/usr/bin/env python
"""Django's command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readiness.settings")
    # It bounds pages alone, though all units share one environment: a migration or a backup takes
    # the time it takes.
    os.environ["READINESS_STATEMENT_SECONDS"] = "0"
    from django.core.management import execute_from_command_line

    from readiness import log_lines

    if os.environ.get("READINESS_LOG") == "json":
        log_lines.tell_uncaught()
    execute_from_command_line(sys.argv)
