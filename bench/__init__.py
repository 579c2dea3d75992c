"""What `make bench` runs: the gateway beside the least that could stand in its place."""
