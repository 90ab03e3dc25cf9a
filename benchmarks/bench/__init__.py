"""The same graphs built by Super Luigi and by its peers: `python -m benchmarks.bench --help`."""
