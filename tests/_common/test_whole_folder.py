import pytest

from degnext._common.files import whole_folder


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "new" / "one") as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "new" / "one").mkdir()
    with whole_folder(tmp_path / "new" / "one") as folder:
        (folder / "all").touch()
    assert [p.name for p in (tmp_path / "new").rglob("*")] == ["one", "all"]


def test_an_occupied_folder_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(OSError), whole_folder(tmp_path / "mine") as folder:
        (folder / "other").touch()
    assert [p.name for p in tmp_path.rglob("*")] == ["mine", "file"]
