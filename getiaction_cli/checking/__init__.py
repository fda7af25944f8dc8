"""Runs the rules over recipes and datasets, tries their fixes, and drafts recipes."""
