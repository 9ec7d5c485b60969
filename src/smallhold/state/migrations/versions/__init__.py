"""The steps, one file each: this package holds the revisions."""

__all__: list[str] = []
