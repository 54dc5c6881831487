"""The ledger: one log of what was decided and done, a Merkle tree whose checkpoints are signed and kept outside."""
