"""Errors of documents and their search: this file holds them."""

from __future__ import annotations

from smallhold.exceptions.caller import CallerError


class DocumentError(CallerError):
    """A document cannot be read."""

    def __init__(self, *, source: str, problem: str, remedy: str) -> None:
        self.source = source
        """The file's path or the page's address."""
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{source} cannot be read: {problem}. {remedy}")


class DocumentTooLargeError(DocumentError):
    """A document exceeds a limit; nothing of it was kept."""

    def __init__(self, *, source: str, field: str, actual: str, limit: str) -> None:
        self.field = field
        """Name of the limit in `ParsingLimits`."""
        self.actual = actual
        """What it has or takes, as a clause."""
        self.limit = limit
        super().__init__(
            source=source,
            problem=f"{actual}, where {field} allows {limit}",
            remedy=f"Split it, or raise `{field}` of `ParsingLimits`.",
        )


class DocumentFetchError(DocumentError):
    """A web page could not be fetched, or may not be."""


class UnknownDocumentError(CallerError):
    """There is no such document."""

    def __init__(self, *, source: str) -> None:
        self.source = source
        super().__init__(
            f"{source} is not among the documents. `smallhold knowledge list` shows them."
        )


class EmbeddingModelChangedError(CallerError):
    """The documents' vectors are of another embedding model than the one at hand."""

    def __init__(self, *, similarity: float, dimensions: int, stored_dimensions: int) -> None:
        self.similarity = similarity
        """Cosine between the vectors that the two models give one text; 1 for the same model."""
        self.dimensions = dimensions
        self.stored_dimensions = stored_dimensions
        how = (
            f"it gives {dimensions:,} dimensions, the documents' has {stored_dimensions:,}"
            if dimensions != stored_dimensions
            else f"its vector of one text is not that of the documents' (cosine {similarity:.3f})"
        )
        super().__init__(
            f"The documents were indexed with another embedding model: {how}. "
            "Run `smallhold knowledge reindex`, which embeds them anew, or open the model they "
            "were indexed with."
        )
