"""Django's PostgreSQL, for a server that must not wait with a database that is away."""
