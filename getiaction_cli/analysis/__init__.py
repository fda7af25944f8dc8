"""Analyses shared by rules: keys, classes and values of a recipe, and the recipe applied to its dataset."""
