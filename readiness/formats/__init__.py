"""Dates as our own pages write them, also where Django's admin does."""
