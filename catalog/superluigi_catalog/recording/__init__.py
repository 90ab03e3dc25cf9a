"""Writing: what a build hands in becomes rows. Every function works in the transaction that is open."""
