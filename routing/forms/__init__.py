"""The policy as managers type it, without a line of JSON."""
