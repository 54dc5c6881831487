"""Durable sends: rows of ids, written with the data they speak of, delivered after the commit."""
