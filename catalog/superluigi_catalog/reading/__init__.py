"""Reading: what is recorded becomes answers. Every function works in the snapshot that is open."""
