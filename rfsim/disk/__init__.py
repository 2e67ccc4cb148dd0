"""Results on disk, whole or not at all: stores, files of users, locks, checkpoints, digests."""
