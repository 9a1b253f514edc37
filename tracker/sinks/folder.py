"""The folder of a run's outputs, and the promise that nothing of anybody's is lost in it."""

from __future__ import annotations

import os
import re
from pathlib import Path

OURS = re.compile(
    r"boxes\.csv|boxes(_\d+)?\.txt|tracks\.mot\.txt|annotated\.mp4(\.partial)?|summary\.png|run\.json(\.partial)?"
)


class OutputError(Exception):
    """Outputs that cannot be written; the message is one line and says how to mend it."""


class OutputFolder:
    """A folder for one run's outputs.

    Args:
        path: the folder; it need not exist.
        overwrite: whether results of an earlier run may be replaced. Files of other names always stay.

    Raises:
        OutputError: the path cannot be a folder, or holds results and ``overwrite`` is false.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self.path = path
        try:
            if path.exists() and not path.is_dir():
                raise OutputError(f"{path} is a file, not a folder; name another one with --out")
            results = self._results()
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}; name another folder with --out") from error
        if results and not overwrite:
            raise OutputError(
                f"{path} holds results of an earlier run; replace them with --overwrite, or name another "
                "folder with --out"
            )

    def _results(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return [entry for entry in self.path.iterdir() if OURS.fullmatch(entry.name) and entry.is_file()]

    def prepare(self, source: str) -> None:
        """Makes the folder and removes the results of an earlier run.

        Args:
            source: what is about to be tracked; it must not be one of those results.

        Raises:
            OutputError: the folder cannot be made or written into, or the source would be removed.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            results = self._results()
            for result in results:
                if os.path.exists(source) and os.path.samefile(result, source):
                    raise OutputError(f"{source} would be overwritten by its own results; name another --out")
            if not os.access(self.path, os.W_OK):
                raise OutputError(f"{self.path}: no permission to write; name another folder with --out")
            for result in results:
                result.unlink()
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror}; name another folder with --out") from error
