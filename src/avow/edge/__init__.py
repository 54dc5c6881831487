"""The doors of the web: what comes in from a browser, and what may go out to one."""
