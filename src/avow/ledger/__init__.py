"""The ledger: entries and the chain that ties them, pure; the sequencer and verification stand above."""
