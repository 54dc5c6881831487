"""Keys: provider root → epoch key → person key → record subkey. Nothing here knows a database."""
