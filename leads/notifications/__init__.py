"""Telling people and machines what happened: messages, the ways they travel, and the one HTTP client they go through.

Knows nothing of the rows that leads are kept in: it is given plain values.
"""
