"""Texts, docstrings and comments are plain technical English: phrases that need decoding are banned."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
# A phrase, and what to write instead.
BANNED = {
    r"(?<!there )(?<!There )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|such\b)\w+": "is not a …",
    r"\b(?:is|are|was|were|be|been) (?:told|said)\b": "is reported, is shown",
    r"\b(?:to|can|could) be had\b": "is unavailable",
    r"\bwithout a word\b": "silently",
    r"\b(?:has|have|had)(?:n't| not) got\b": "does not have",
    r"\botherwise than\b|\b(?:an)?other \w+ than\b": "differs from",
    r"\b(?:go|goes|went|gone) on\b": "continues, resumes",
    r"\b(?:stands?|stood)\b(?! for\b| still\b|-in)": "is, is set",
    r"\bwhat (?:there is|it says|comes of|came of)\b": "name the thing",
    r"\bcarried out\b": "executed",
    r"\bl(?:ie|ies|ay) (?:behind|past)\b": "extends past",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\bfor people,? or\b": "name the formats",
    r"\bin the words of\b|\bin (?:its|their) own words\b": "compatible with",
    r"\bwhatever\b": "any, even with",
    r"\band that is not\b": "say it in a sentence of its own",
    r"\b(?:nobody|somebody)\b": "name who or what",
    r"\bbe it\b": "even if",
    r"\btold otherwise\b": "by default",
    r"\b(?:speaks?|spoken) of\b": "reports, refers to",
    r"\b(?:held|hold|holds) \S+(?: \S+)? against\b": "compared with",
    r"\bmost alike\b": "the most similar",
    r"\bby heart\b": "reads from, has a table of",
    r"\bstumbl(?:e|es|ed|ing)\b": "can't read, fails on",
    r"\bas people (?:say|read|write)\b": "format",
    r"\b(?:one|front) door\b|\bthrough the door\b": "entry point, first import",
    r"\ba way (?:out|on)\b": "a fix",
    r"\bdrown(?:s|ed)?\b": "dominate",
    r"\bfor lack of\b": "because there is no",
    r"\bhangs? on\b": "depends on",
    r"\bcommon coin\b|\bread aloud\b|\bnone of our business\b|\bin circles\b": "say it without a metaphor",
    r"\bmail to each other\b": "untrusted",
    r"\bgo(?:es)? through with\b": "succeeds",
    r"\bwhat becomes\b|\bcalled otherwise\b": "the result of, has another name",
}


def texts() -> Iterator[tuple[str, str]]:
    """(place, text) of the strings, docstrings and comments in the code, and of the docs and recipes."""
    for file in [*REPOSITORY.glob("getiaction/**/*.py"), *REPOSITORY.glob("getiaction_cli/**/*.py")]:
        place, code = file.relative_to(REPOSITORY), file.read_text("utf-8")
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING, tokenize.FSTRING_MIDDLE):
                yield f"{place}:{token.start[0]}", " ".join(token.string.split())
    documents = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("recipes/*.yaml")]
    for document in documents:
        for paragraph in re.finditer(r"(?:.+\n?)+", text := document.read_text("utf-8")):
            number = text.count("\n", 0, paragraph.start()) + 1
            yield f"{document.relative_to(REPOSITORY)}:{number}", " ".join(paragraph[0].split())


@pytest.fixture(scope="module")
def everything() -> list[tuple[str, str]]:
    return list(texts())


@pytest.mark.parametrize("phrase", BANNED)
def test_no_text_needs_decoding(phrase: str, everything: list[tuple[str, str]]) -> None:
    pattern = re.compile(phrase, re.IGNORECASE)
    found = [f"{place}: {match[0]!r}" for place, text in everything for match in pattern.finditer(text)]
    assert not found, f"write instead: {BANNED[phrase]}"
