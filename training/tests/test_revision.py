"""Pages name a commit that their figures can be made from again."""

import hashlib

import pytest

import revision


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """One in which every file of a commit may be changed."""
    monkeypatch.setattr(revision, "ROOT", tmp_path)
    for name in ("README.md", "docs/quality.md", "weights/lite.mirl", "network.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    revision.git("init", "-q")
    revision.git("add", ".")
    revision.git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x")
    return tmp_path


@pytest.mark.parametrize("name", ["README.md", "docs/quality.md", "weights/lite.mirl"])
def test_pages_and_weights_may_differ(repository, name):
    (repository / name).write_text("new")
    assert revision.commit().endswith("-dirty")
    assert revision.commit() == revision.commit_for(repository / "README.md") + "-dirty"
    assert revision.commit(revision.FREE) == revision.commit_for(repository / "README.md")


def test_sources_may_not_differ_for_a_page_of_the_repository(repository, tmp_path_factory):
    (repository / "network.py").write_text("new")
    with pytest.raises(SystemExit, match="differ: network.py"):
        revision.commit_for(repository / "docs/quality.md")
    assert revision.commit_for(tmp_path_factory.mktemp("elsewhere") / "page.md") == revision.commit()


def test_outside_of_a_repository_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(revision, "ROOT", tmp_path)
    assert revision.commit() == "unknown"


def test_weights_are_named_by_their_content(tmp_path):
    (tmp_path / "x.mirl").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert revision.weights(tmp_path / "x.mirl") == f"`x.mirl` (SHA-256 {digest[:12]}), 0.00 MB"
