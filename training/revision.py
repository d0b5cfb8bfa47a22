"""Which state of the sources, and which weights, figures and files come from."""

import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Pages that programs write, and weights, which pages name by their content.
FREE = ("README.md", "docs/", "weights/")
SHIPPED = sorted((ROOT / "weights").glob("*.mirl"))


def git(*words: str) -> str:
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True).stdout


def changed(free: tuple[str, ...]) -> list[str]:
    """The files that differ from the commit that is checked out, but for those whose names begin with one of `free`."""
    lines = git("status", "--porcelain", "--untracked-files=no").splitlines()
    return [line[3:] for line in lines if not line[3:].startswith(free)]


def commit(free: tuple[str, ...] = ()) -> str:
    """The commit that is checked out, with `-dirty` where files differ from it, as in `changed`; `unknown` outside of a
    repository."""
    try:
        return git("describe", "--always", "--abbrev=12").strip() + ("-dirty" if changed(free) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def commit_for(page: Path) -> str:
    """The commit to name in a page. For a page of the repository, SystemExit names the files that differ from it."""
    if not page.resolve().is_relative_to(ROOT):
        return commit()
    if foreign := changed(FREE):
        raise SystemExit(f"{page}: is to name a commit, from which these files differ: {', '.join(foreign)}")
    return commit(FREE)


def weights(path: Path) -> str:
    """A weight file's name, content and size, in Markdown."""
    content = path.read_bytes()
    return f"`{path.name}` (SHA-256 {hashlib.sha256(content).hexdigest()[:12]}), {len(content) / 1e6:.2f} MB"


def built_in(program: Path) -> str:
    """Those of the weight files in weights/ that a program has built in, as `weights` names each."""
    content = program.read_bytes()
    return "; ".join(weights(path) for path in SHIPPED if path.read_bytes() in content)
