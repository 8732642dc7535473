"""Drafting a topic file from questions that found no answer, for a clinician to complete."""

import re
from collections.abc import Sequence

from guide.gap_groups import wording
from guide.topics import TODO

NAME = re.compile(r"[a-z][a-z0-9_]*")
"""The name of a topic: its file, and the end of its intent."""

_MARK = re.compile(r"\[[^\]]*\]")

_DRAFT = """\
version: "3.1"
nlu:
- intent: faq/{name}
  examples: |
{examples}
responses:
  utter_faq/{name}:
  - text: >-
      {todo}, the short answer in 2 to 4 sentences, plain words, complete in itself.
    metadata:
      title: {todo}, the question as it stands on a button
      simpler: >-
        {todo}, the same in the plainest words.
      detail: >-
        {todo}, what "Tell me more" adds.
      sources: []      # keys of content/sources.yml
      safety: [clinician]
      related: [{related}]
      claims: []
      review: {{status: drafted, by: null, on: null, due: null}}
"""


def draft_topic(name: str, questions: Sequence[str], related: Sequence[str]) -> str:
    """Return a topic file whose examples are `questions` and whose texts are to be written.

    Args:
        name: as NAME has it.
        questions: redacted; what stands for something taken out is left out.
        related: keys of topics near by.
    """
    by_wording = {wording(example): example for example in map(_example, questions) if example}
    examples = "\n".join(f"    - {example}" for example in by_wording.values())
    return _DRAFT.format(name=name, todo=TODO, examples=examples, related=", ".join(related))


def _example(question: str) -> str:
    """Return a question as one line that Rasa reads as mere text."""
    text = _MARK.sub(" ", question).translate({ord(sign): " " for sign in "[]{}"})
    return " ".join(text.split()).lstrip("/- ")
