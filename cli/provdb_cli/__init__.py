"""The command `provdb`."""
