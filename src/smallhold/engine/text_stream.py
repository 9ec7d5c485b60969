"""From token bytes to text: this file holds the incremental decoder with stop strings."""

from __future__ import annotations

import codecs


class TextStream:
    """Turns bytes into text that is safe to show.

    Half a UTF-8 character is held back until the rest arrives, and so is text that may be the
    beginning of a stop string.
    """

    def __init__(self, *, stop: tuple[str, ...] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False
        """A stop string was met; nothing more comes out."""

    def push(self, data: bytes) -> str:
        """Add bytes; give the text that can be shown now."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(data)
        return self._release()

    def close(self) -> str:
        """End the stream; give what was held back."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(b"", final=True)
        shown = self._release()
        rest, self._held = self._held, ""
        return shown + ("" if self.stopped else rest)

    def _release(self) -> str:
        # The stop string that is whole first counts, so that it does not matter how the bytes came.
        found = [
            (start + len(text), start)
            for text in self._stop
            if (start := self._held.find(text)) >= 0
        ]
        if found:
            self.stopped = True
            _, position = min(found)
            shown, self._held = self._held[:position], ""
            return shown
        keep = self._possible_stop_chars()
        shown, self._held = (
            self._held[: len(self._held) - keep],
            self._held[len(self._held) - keep :],
        )
        return shown

    def _possible_stop_chars(self) -> int:
        longest = 0
        for text in self._stop:
            for size in range(min(len(text) - 1, len(self._held)), longest, -1):
                if self._held.endswith(text[:size]):
                    longest = size
                    break
        return longest
