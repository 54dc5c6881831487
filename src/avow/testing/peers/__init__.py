"""A card processor, carriers and a mailbox in one process, with a page that shows what arrived.

    python -m avow.testing.peers --data DIR --card NAME --https NAME --https NAME --mail NAME

See `avow.testing.peers.__main__` for what it prints and when it ends.
"""
