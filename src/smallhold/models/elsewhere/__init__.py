"""Models that other programs keep on this machine, found and used where they lie."""

from smallhold.models.elsewhere.adopting import AdoptionTarget, adopt_file, file_named
from smallhold.models.elsewhere.finding import adopt_in_place, every_file, find_elsewhere
from smallhold.models.elsewhere.foreign_file import ForeignFile
from smallhold.models.elsewhere.places import ForeignPlaces, foreign_places

__all__ = [
    "AdoptionTarget",
    "ForeignFile",
    "ForeignPlaces",
    "adopt_file",
    "adopt_in_place",
    "every_file",
    "file_named",
    "find_elsewhere",
    "foreign_places",
]
