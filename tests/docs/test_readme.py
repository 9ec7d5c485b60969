"""The README's tables: this file holds the promise that they say what the package says."""

from __future__ import annotations

import re
from pathlib import Path

from smallhold.models import load_catalog

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ROW = re.compile(r"^\| `([\w.-]+)`(?: \(default\))? \| ([\d.]+) billion \| ([\d,]+) MB \|", re.M)


def test_the_models_of_the_readme_are_as_the_catalog_says() -> None:
    catalog = {
        (
            model.alias,
            f"{model.parameter_count / 1e9:.2f}",
            f"{(model.default.size_bytes or 0) / 1e6:,.0f}",
        )
        for model in load_catalog()
    }
    rows = ROW.findall(README)
    assert len(rows) >= 10
    assert set(rows) <= catalog


def test_every_folder_of_the_tree_that_the_readme_names_is_there() -> None:
    folders = re.findall(r"^\| `([\w/]+/)` \|", README, re.M)
    assert folders
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
