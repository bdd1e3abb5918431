"""The secret key of an installation that was given none."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path


def kept_secret_key(folder: Path) -> str:
    """The key kept in ``folder/secret_key``, made there the first time, readable by us alone.

    It keys the hashes of the resume codes: an installation that loses it loses the codes too.
    """
    path = folder / "secret_key"
    if not path.exists():
        # Written whole under another name first, so that no second process reads half a key.
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".secret_key") as file:
            file.write(secrets.token_urlsafe(64))
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text(encoding="ascii").strip()
