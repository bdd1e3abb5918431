"""Signing in by another service, run with one configured: see tests/staff/test_oidc.py."""
