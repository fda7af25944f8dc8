"""Output formats: each module converts results to text, without any checks of its own.

Reports of recipes: ``terminal`` for people, ``concise`` for grep, ``github`` for annotations of pull requests,
``json_v1`` and ``sarif`` for programs. ``page`` shows the documentation page of a rule.
"""
