"""From files of many formats to documents: this package holds a parser for each."""

__all__: list[str] = []
