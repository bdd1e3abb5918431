"""24 novembre 2026, 14 h 05."""

TIME_FORMAT = "H\u00a0\\h\u00a0i"
DATETIME_FORMAT = f"j F Y, {TIME_FORMAT}"
