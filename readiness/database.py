"""How long one waits for PostgreSQL."""

from __future__ import annotations

from typing import Any

CONNECTING = 3
"""Seconds to reach the server, and to get a connection from the pool."""
IDLE_IN_TRANSACTION = 30
"""Seconds after which the server ends the transaction of a process that no longer says anything,
and with it its locks."""


def postgresql_options(*, patience: int, most: int) -> dict[str, Any]:
    """The options of a connection, of which a process has at most ``most``; a statement may take
    ``patience`` seconds, 0 for ever.

    Beyond it the server gives the statement up, and, a second later, we give up the server. A
    machine that has vanished is noticed within half a minute, whatever the patience.
    """
    from .postgresql import base  # which needs settings that are still being read

    pool: dict[str, Any] = {
        "min_size": 1,
        "max_size": most,
        "timeout": CONNECTING,
        # Tried anew whenever somebody asks, not ever more seldom: it is noticed soon when the
        # database is back.
        "reconnect_timeout": 2,
        "connection_class": base.Connection,
        "check": base.check,
    }
    options: dict[str, Any] = {
        "pool": pool,
        # By it a restore tells whether the service still runs (assessments/backups/postgresql.py).
        "application_name": "readiness",
        "connect_timeout": CONNECTING,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }
    if patience:
        pool["connection_class"] = base.patient(patience + 1)
        options["options"] = (
            f"-c statement_timeout={patience}s"
            f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION}s"
        )
    return options
