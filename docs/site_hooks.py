"""Hooks of the documentation site (mkdocs.yml): each rule of rules.md gets a page of its own, rules/GA301/."""

import re
from typing import Any

from mkdocs.structure.files import File, Files

_RULE = re.compile(r"^## (GA\d+)\n(.*?)(?=^## GA|\Z)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the page of each rule."""
    source = files.get_file_from_path("rules.md")
    assert source is not None
    for code, body in _RULE.findall(source.content_string):
        name = re.search(r"\*([\w-]+)\*", body)
        title = f"# {code} {name[1]}" if name else f"# {code}"
        files.append(File.generated(config, f"rules/{code}.md", content=f"{title}\n{body}"))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Leave the table of the rules on their common page, with links to their own pages."""
    if page.file.src_uri != "rules.md":
        return markdown
    return re.sub(r"\(#(ga\d+)\)", lambda link: f"(rules/{link[1].upper()}.md)", _RULE.sub("", markdown))
