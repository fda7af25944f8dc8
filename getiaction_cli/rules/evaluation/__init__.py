"""GA6xx: what an evaluation on recorded episodes finds in a trained policy."""
