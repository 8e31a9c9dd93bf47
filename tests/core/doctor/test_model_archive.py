"""A model.tar.gz comes from somewhere else: plain files of bounded size are read from it, nothing else."""

import gzip
import io
import tarfile

import pytest

from core.doctor import model_archive
from core.errors import BadInput

FILES = {"manifest.json": b"{}", "habits.npz": b"1234"}


def packed(path, members):
    """Writes members (name, content, changes of the header) as a tar.gz."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content, changes in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in changes.items():
                setattr(member, field, value)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("prefix", ["", "./"])
def test_plain_files_come_back_as_they_were(tmp_path, prefix):
    members = [(f"{prefix}{name}", content, {}) for name, content in FILES.items()]
    if prefix:
        members.insert(0, ("./", b"", {"type": tarfile.DIRTYPE}))
    assert model_archive.of_archive(packed(tmp_path / "model.tar.gz", members)) == FILES
    model_archive.into_folder(tmp_path / "new" / "model", FILES)
    assert model_archive.of_folder(tmp_path / "new" / "model") == FILES


@pytest.mark.parametrize(
    "member",
    [
        ("../manifest.json", b"{}", {}),
        ("/etc/manifest.json", b"{}", {}),
        ("model/manifest.json", b"{}", {}),
        ("..", b"", {}),
        ("manifest.json", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("manifest.json", b"", {"type": tarfile.LNKTYPE, "linkname": "habits.npz"}),
        ("manifest.json", b"", {"type": tarfile.CHRTYPE}),
        ("habits.npz", b"twice", {}),
    ],
    ids=["up", "absolute", "folder", "dots", "symlink", "hardlink", "device", "twice"],
)
def test_anything_but_plain_files_is_refused(tmp_path, member):
    path = packed(tmp_path / "model.tar.gz", [("habits.npz", b"1234", {}), member])
    with pytest.raises(BadInput, match="something else than the plain files"):
        model_archive.of_archive(path)


def test_bombs_and_crowds_are_refused_before_they_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(model_archive, "MOST_BYTES", 100_000)
    path = packed(tmp_path / "model.tar.gz", [("habits.npz", bytes(1_000_000), {})])
    with pytest.raises(BadInput, match="unpacks to more than 100,000 bytes"):
        model_archive.of_archive(path)
    many = [(f"{n}.npz", b"", {}) for n in range(model_archive.MOST_FILES + 1)]
    with pytest.raises(BadInput, match="more than 32 files"):
        model_archive.of_archive(packed(path, many))
    header = {"pax_headers": {"comment": "x" * 1_000_000}}
    with pytest.raises(BadInput, match="unpacks to more"):
        model_archive.of_archive(packed(path, [("a", b"", header)]))
    (tmp_path / "much").write_bytes(bytes(100_001))
    with pytest.raises(BadInput, match="more than a model"):
        model_archive.of_folder(tmp_path)


def test_what_is_no_archive_is_a_sentence(tmp_path):
    path = tmp_path / "model.tar.gz"
    for content in (b"", b"no archive", gzip.compress(b"no tar"), gzip.compress(b"x" * 5000)[:-9]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"not a whole tar.gz|is empty"):
            model_archive.of_archive(path)
    with pytest.raises(BadInput, match="cannot be read"):
        model_archive.of_archive(tmp_path / "none.tar.gz")
    with pytest.raises(BadInput, match="cannot be read"):
        model_archive.of_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="no model"):
        model_archive.of_folder(tmp_path / "empty")
