"""How the tables came to be: this package holds the steps from one version to the next."""

__all__: list[str] = []
