"""Which parts of a prompt may be tokenized together: this file holds that one decision.

A text cut in pieces tokenizes a little differently from the whole, and models were trained on
the whole. So pieces are kept apart only where it matters: around untrusted text that holds, or
completes, the text of a control token.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from smallhold.engine.template_text import Segment


def control_pattern(texts: Collection[str]) -> re.Pattern[str]:
    """A pattern whose group 1 is a control token's text, overlapping ones included.

    Args:
        texts: What the tokenizer would parse as control tokens.
    """
    longest_first = sorted(filter(None, texts), key=len, reverse=True)
    if not longest_first:
        return re.compile("(?!)()")
    return re.compile(f"(?=({'|'.join(map(re.escape, longest_first))}))")


def merged_where_harmless(
    segments: Sequence[Segment], *, control_tokens: re.Pattern[str]
) -> list[Segment]:
    """Join segments as far as no control token can come from untrusted text.

    Args:
        segments: A prompt, as `ChatTemplate.render_parts` returns it.
        control_tokens: `control_pattern` of the tokenizer's control tokens.

    Returns:
        The same text. Untrusted segments remain apart where a control token's text touches them;
        everything else is one trusted segment from there to there.
    """
    dangerous = _touched(segments, control_tokens)
    flags = [segment.is_trusted or n not in dangerous for n, segment in enumerate(segments)]
    pairs = zip(flags, segments, strict=True)
    return [
        Segment(text="".join(segment.text for _, segment in group), is_trusted=is_trusted)
        for is_trusted, group in groupby(pairs, key=lambda pair: pair[0])
    ]


def _touched(segments: Sequence[Segment], control_tokens: re.Pattern[str]) -> set[int]:
    """Numbers of the segments that a control token's text overlaps."""
    text = "".join(segment.text for segment in segments)
    spans = (match.span(1) for match in control_tokens.finditer(text))
    return set(_overlapped(segments, spans))


def _overlapped(segments: Sequence[Segment], spans: Iterable[tuple[int, int]]) -> Iterable[int]:
    number = 0
    start = 0
    for first, end in spans:
        while start + len(segments[number].text) <= first:
            start += len(segments[number].text)
            number += 1
        reach = start
        for later in range(number, len(segments)):
            if reach >= end:
                break
            yield later
            reach += len(segments[later].text)
