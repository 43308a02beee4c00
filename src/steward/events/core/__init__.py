"""Pure parts of the log: hashing of rows and the Merkle tree."""
