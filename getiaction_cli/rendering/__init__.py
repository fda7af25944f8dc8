"""Reports as text: each file has ``render(reports, …) -> str``, and none of them decides anything.

``terminal`` is for people, ``concise`` for grep, ``github`` for annotations, ``json_v1`` and ``sarif`` for programs;
``page`` shows what a rule has to say about itself.
"""
