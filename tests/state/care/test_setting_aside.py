from __future__ import annotations

import base64
import json
from pathlib import Path

from smallhold.state.care.setting_aside import set_aside


def test_rows_are_kept_a_line_each_with_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "aside.jsonl"
    set_aside(path, [("facts", {"id": "f1", "payload": b"\x00\xff", "expires_s": None})], now_s=5.0)
    set_aside(path, [("facts", {"id": "f2", "payload": b"x"})], now_s=6.0)
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first == {
        "table": "facts",
        "at_s": 5.0,
        "row": {
            "id": "f1",
            "payload": {"base64": base64.b64encode(b"\x00\xff").decode()},
            "expires_s": None,
        },
    }
    assert second["row"]["id"] == "f2"
    assert path.stat().st_mode & 0o777 == 0o600
