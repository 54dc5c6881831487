"""Avow."""
