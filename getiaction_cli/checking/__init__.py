"""Run the rules on recipes and datasets, apply their fixes, and draft recipes."""
