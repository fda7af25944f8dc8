"""GA5xx: what this machine has not got, and what a run would cost it."""
