"""What a user has of clips: files of features and tables that are none."""

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.runs import clips as users


def test_files_of_features_that_are_none_are_refused(tmp_path):
    path = tmp_path / "f.npz"
    with pytest.raises(UserError, match=r"f\.npz: found no such file"):
        users.read_features(path)
    path.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(UserError, match=r"f\.npz: found it cannot be read"):
        users.read_features(path)
    np.savez(path, sound=np.zeros((2, 2)))
    with pytest.raises(UserError, match=r"an array named sound; expected .*visual, acoustic"):
        users.read_features(path)
    np.savez(path)
    with pytest.raises(UserError, match="found no array"):
        users.read_features(path)
    np.savez(path, acoustic=np.array([{}], object))
    with pytest.raises(UserError, match=r"cannot be read \(Object arrays"):
        users.read_features(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UserError, match=r"cannot be read \("):
        users.read_features(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "it cannot be read"),
        ("name,text\na,b\n", "the columns name, text"),
        ("id,label\na,1\n", "the columns id, label"),
        ("id,text\n", "no row"),
        ("id,text\n,film\n", "a row without id"),
        ("id,text\na,film,more\nb,x,y,z,w\n", "it cannot be read"),
        (b"id,text\na,\xff\xfe\n", "it cannot be read"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path, content, found):
    path = tmp_path / "clips.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=rf"clips\.csv: found {found}"):
        users.read_table(path)
