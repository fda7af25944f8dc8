"""Reports as text: ``terminal`` for people, ``concise`` for grep, ``github`` for annotations, ``json_v1`` and ``sarif`` for
programs. Each has ``render(reports, …) -> str``; none of them decides anything.
"""
