"""GA5xx: what this machine lacks, and what a run would cost."""
