"""Which state of the sources, and which weights, figures and files come from."""

import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Pages that programs write, and weights, which pages name by their content.
FREE = ("README.md", "docs/", "weights/")


def git(*words: str) -> str:
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True).stdout


def commit() -> str:
    """The commit that is checked out, with `-dirty` where files differ from it; `unknown` outside of a repository."""
    try:
        return git("describe", "--always", "--dirty", "--abbrev=12").strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def commit_for(page: Path) -> str:
    """The commit to name in a page. For a page of the repository, SystemExit names the files that differ from it."""
    if not page.resolve().is_relative_to(ROOT):
        return commit()
    changed = [line[3:] for line in git("status", "--porcelain", "--untracked-files=no").splitlines()]
    if foreign := [name for name in changed if not name.startswith(FREE)]:
        raise SystemExit(f"{page}: is to name a commit, from which these files differ: {', '.join(foreign)}")
    return git("describe", "--always", "--abbrev=12").strip()


def weights(path: Path) -> str:
    """A weight file's name, content and size, in Markdown."""
    content = path.read_bytes()
    return f"`{path.name}` (SHA-256 {hashlib.sha256(content).hexdigest()[:12]}), {len(content) / 1e6:.2f} MB"
