"""What one sheet of answers means: pure functions from an instrument and a sheet to a profile."""
