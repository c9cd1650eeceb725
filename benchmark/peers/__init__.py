"""What benchmark/peers.py measures: checkpoints with random weights, and one class per runtime."""
