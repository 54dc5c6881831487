"""The vault: sealing, records, people and units of work."""
