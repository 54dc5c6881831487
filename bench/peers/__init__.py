"""Other engines under the rules of `bench.decisions`.

They are no dependency of Avow, and are asked only if they are installed:

    .venv/bin/python -m pip install cedarpy oso      # the dependency group `peers` of pyproject.toml

A peer is made from the rules and gives two functions: `prepare` puts a flow into the peer's own form, before the clock
starts, and `decide` answers it with true or false.
"""
