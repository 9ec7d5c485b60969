from __future__ import annotations

import json

from smallhold.state.knowledge import (
    DocumentFormat,
    Indexed,
    KnowledgeStatus,
    KnownDocument,
    Outcome,
)


def test_documents_outcomes_and_status_can_be_written_as_json() -> None:
    known = KnownDocument(
        id="d",
        source="/a.md",
        title="A",
        format=DocumentFormat.MARKDOWN,
        chunks=2,
        size_bytes=10,
        indexed_s=1.5,
        is_embedded=True,
    )
    done = Indexed(source="/a.md", outcome=Outcome.REFUSED, problem="bad")
    status = KnowledgeStatus(
        documents=1,
        chunks=2,
        unembedded=0,
        damaged=0,
        generation=3,
        has_embedder=True,
        is_embedder_same=None,
        is_encrypted=False,
    )
    written = [json.loads(json.dumps(one.to_dict())) for one in (known, done, status)]
    assert [written[0]["format"], written[1]["outcome"], written[2]["generation"]] == [
        "markdown",
        "refused",
        3,
    ]
