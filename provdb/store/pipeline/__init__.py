"""MongoDB's aggregation pipelines on documents in memory, for a store without a server.

Every stage and every operator here means what it means on a server, which a test holds
it to; others are refused by their names. mongomock has more of them, and of these many
answer otherwise: what is missing, true or 1, in an empty group, below a dot.
"""
