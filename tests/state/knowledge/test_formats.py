from __future__ import annotations

import pytest

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge import DocumentFormat
from smallhold.state.knowledge.formats import format_of, required_format


def test_a_format_is_told_by_the_end_of_the_name_in_any_case() -> None:
    assert format_of("A.PDF") is DocumentFormat.PDF
    assert format_of("notes.backup.md") is DocumentFormat.MARKDOWN
    assert format_of("photo.jpg") is None


def test_a_file_of_no_known_format_is_refused_with_those_that_are_read() -> None:
    with pytest.raises(DocumentError, match=r"\.jpg are not read.*\.docx"):
        required_format("photo.jpg")
