"""Data sets: what they hold, and the archives that CIFAR-10 is read from."""

import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from nas.cifar import CLASSES, load_cifar10_images
from nas.data import load_dataset
from nas.files import DataError, find_file

PER_FILE = 4


def test_digits_are_split_by_class_and_fixed(digits):
    sizes = [len(part) for part in (digits.train, digits.validation, digits.test)]
    assert sizes == [898, 449, 450]
    for part in (digits.train, digits.validation, digits.test):
        shares = np.bincount(part.labels, minlength=10) / len(part)
        assert np.abs(shares - 0.1).max() < 0.01
    assert np.array_equal(load_dataset("digits").test.images, digits.test.images)


def test_digits_in_one_part_are_in_no_other(digits):
    parts = [{image.tobytes() for image in part.images} for part in (digits.train, digits.validation, digits.test)]
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]


def test_networks_read_pixels_as_fractions(digits):
    inputs = digits.train.take(3).inputs
    assert inputs.shape == (3, 1, 8, 8)
    assert np.array_equal(inputs.permute(0, 2, 3, 1).numpy() * 255, digits.train.images[:3].astype(np.float32))


def test_an_unknown_data_set_is_refused():
    with pytest.raises(DataError, match="dataset: 'mnist' is not known; accepted: digits, cifar10"):
        load_dataset("mnist")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("COSYNTH_CACHE", str(folder))
    return folder


@pytest.fixture
def directory(tmp_path, cache):
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def batches() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images uint8 [4, 32, 32, 3] and labels of each of the official archives' six files."""
    rng = np.random.default_rng(0)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    return {
        name: (rng.integers(0, 256, (PER_FILE, 32, 32, 3), np.uint8), rng.integers(0, 10, PER_FILE)) for name in names
    }


IMAGES = batches()["test_batch"][0]


def planes(images: np.ndarray) -> np.ndarray:
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def python_files() -> dict[str, bytes]:
    """As the official archive has them: pickled dictionaries with keys of bytes."""
    return {
        name: pickle.dumps({b"data": planes(images), b"labels": labels.tolist()}, protocol=2)
        for name, (images, labels) in batches().items()
    }


def binary_files() -> dict[str, bytes]:
    return {
        f"{name}.bin": np.concatenate([labels[:, None].astype(np.uint8), planes(images)], axis=1).tobytes()
        for name, (images, labels) in batches().items()
    }


def write_archive(path, files: dict[str, bytes], mode: str) -> None:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    ("archive", "folder", "files"),
    [
        ("cifar-10-python.tar.gz", "cifar-10-batches-py", python_files()),
        ("cifar-10-binary.tar.gz", "cifar-10-batches-bin", binary_files()),
    ],
)
@pytest.mark.parametrize("extracted", [False, True], ids=["archive", "extracted"])
def test_official_archives_are_read_whole(directory, archive, folder, files, extracted):
    if extracted:
        (directory / folder).mkdir()
        for name, content in files.items():
            (directory / folder / name).write_bytes(content)
    else:
        write_archive(directory / archive, {f"{folder}/{name}": content for name, content in files.items()}, "w:gz")
    images = load_cifar10_images(directory)
    expected = batches()
    training = [expected[f"data_batch_{i}"] for i in range(1, 6)]
    assert np.array_equal(images.train_images, np.concatenate([batch for batch, _ in training]))
    assert np.array_equal(images.train_labels, np.concatenate([labels for _, labels in training]))
    assert np.array_equal(images.test_images, expected["test_batch"][0])
    assert images.provenance == "CIFAR-10"


def pickled(images: np.ndarray, labels: list) -> bytes:
    return pickle.dumps({b"data": planes(images), b"labels": labels}, protocol=2)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (pickled(IMAGES, [1, 2, 3]), "test_batch has 3 labels; accepted: one for each of its 4 images"),
        (pickled(IMAGES, [[1, 2, 3, 4]]), "test_batch has 4 labels; accepted: one for each"),
        (pickled(IMAGES, [0, 10, 1, 2]), "test_batch has labels from 0 to 10; accepted: 0 to 9"),
        (pickled(IMAGES, [-1, 9, 1, 2]), "test_batch has labels from -1 to 9; accepted: 0 to 9"),
        (pickle.dumps({b"data": np.empty((0, 3072), np.uint8), b"labels": []}), "test_batch has no images"),
        (pickled(IMAGES[:, :16], [0, 1, 2, 3]), "test_batch is not a batch"),
        (pickled(IMAGES[:, :16], [0, 1]), "test_batch is not a batch"),
        (pickled(IMAGES.astype(np.int64) + 300, [0, 1, 2, 3]), "test_batch is not a batch"),
        (pickled(IMAGES, None), "test_batch is not a batch"),
        (pickle.dumps({b"data": 5, b"labels": [1]}), "test_batch is not a batch"),
        (pickle.dumps([1, 2]), "test_batch is not a batch"),
        (b"\x80\x02}q\x00(X\xff\xff\xff\x7f", "test_batch is not a batch"),
        (b"t.", "test_batch is not a batch"),
    ],
    ids=[
        *("too few labels", "nested labels", "label 10", "label -1", "empty", "half images", "halves that join up"),
        *("wide pixels", "no labels", "a number for images", "a list", "endless string", "no opcodes"),
    ],
)
def test_a_python_batch_that_is_not_cifar_s_is_refused(directory, cache, batch, message):
    write_archive(directory / "cifar-10-python.tar.gz", python_files() | {"test_batch": batch}, "w:gz")
    with pytest.raises(DataError, match=f"^cifar10: {message}"):
        load_cifar10_images(directory)
    assert not cache.exists()


def test_a_binary_batch_with_another_label_is_refused(directory):
    files = binary_files()
    files["data_batch_2.bin"] = b"\x0a" + files["data_batch_2.bin"][1:]
    write_archive(directory / "cifar-10-binary.tar.gz", files, "w:gz")
    with pytest.raises(DataError, match=r"data_batch_2\.bin has labels from \d to 10; accepted: 0 to 9"):
        load_cifar10_images(directory)


def jpeg_files() -> dict[str, bytes]:
    files = {}
    for part in ("train", "test"):
        for label, name in enumerate(CLASSES):
            buffer = io.BytesIO()
            Image.new("RGB", (32, 32), (20 * label, 100, 30)).save(buffer, "JPEG", quality=95)
            files[f"{part}/{name}/0000.jpg"] = buffer.getvalue()
    return files


def test_recompressed_jpegs_are_read_and_named_as_such(directory):
    (directory / "data").mkdir()
    write_archive(directory / "data" / "cifar10-jpeg.tar.xz", jpeg_files(), "w:xz")
    images = load_cifar10_images(directory)
    assert sorted(images.train_labels) == list(range(10))
    assert np.abs(images.test_images[:, 16, 16, 0] - 20.0 * images.test_labels).max() < 6
    assert images.provenance.startswith("JPEG CIFAR-10")


@pytest.mark.parametrize("size", [(32, 31), (64, 64)])
def test_a_jpeg_of_another_size_is_refused(directory, cache, size):
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "JPEG")
    files = jpeg_files() | {"test/ship/0001.jpg": buffer.getvalue()}
    write_archive(directory / "cifar10-jpeg.tar.xz", files, "w:xz")
    width, height = size
    with pytest.raises(DataError, match=rf"has an image of \[{height}, {width}, 3\]; accepted: \[32, 32, 3\]"):
        load_cifar10_images(directory)
    assert not cache.exists()


def test_images_are_decoded_once(directory, cache):
    archive = directory / "cifar10-jpeg.tar.xz"
    write_archive(archive, jpeg_files(), "w:xz")
    status = archive.stat()
    first = load_cifar10_images(directory)
    archive.write_bytes(b"\0" * status.st_size)
    os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert np.array_equal(load_cifar10_images(directory).train_images, first.train_images)
    assert [path.suffix for path in cache.iterdir()] == [".npz"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:2000],
        lambda whole: whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:],
        lambda whole: b"PK\5\6" + bytes(18),
    ],
    ids=["emptied", "cut off", "a bit flipped", "an archive of nothing"],
)
def test_a_damaged_cache_is_made_again(directory, cache, damage, capsys):
    write_archive(directory / "cifar-10-binary.tar.gz", binary_files(), "w:gz")
    images = load_cifar10_images(directory)
    (cached,) = cache.iterdir()
    whole = cached.read_bytes()
    cached.write_bytes(damage(whole))
    assert np.array_equal(load_cifar10_images(directory).train_images, images.train_images)
    assert f"{cached} is damaged" in capsys.readouterr().err
    assert cached.read_bytes() == whole


def test_decoded_images_lie_in_the_user_s_cache_directory(directory, tmp_path, monkeypatch):
    monkeypatch.delenv("COSYNTH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    write_archive(directory / "cifar10-jpeg.tar.xz", jpeg_files(), "w:xz")
    load_cifar10_images(directory)
    assert [path.suffix for path in (tmp_path / "xdg" / "cosynth").iterdir()] == [".npz"]


def test_an_archive_that_lacks_a_batch_is_refused(directory, cache):
    files = binary_files()
    del files["data_batch_3.bin"]
    write_archive(directory / "cifar-10-binary.tar.gz", files, "w:gz")
    with pytest.raises(DataError, match=r"lacks data_batch_3\.bin"):
        load_cifar10_images(directory)
    assert not cache.exists()


def test_a_truncated_binary_batch_is_refused(directory):
    files = binary_files() | {"test_batch.bin": b"\0" * 100}
    write_archive(directory / "cifar-10-binary.tar.gz", files, "w:gz")
    with pytest.raises(DataError, match=r"test_batch\.bin has 100 bytes; accepted: records of 3073 bytes"):
        load_cifar10_images(directory)


class Payload:
    """Pickles as a call, as a hostile file would."""

    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_a_pickle_that_runs_code_is_refused(directory, monkeypatch):
    monkeypatch.chdir(directory)
    files = python_files() | {"test_batch": pickle.dumps({b"data": Payload(), b"labels": []})}
    write_archive(directory / "cifar-10-python.tar.gz", files, "w:gz")
    with pytest.raises(DataError, match="test_batch is not a batch of the official Python archive"):
        load_cifar10_images(directory)
    assert not (directory / "pwned").exists()


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-binary.tar.gz", "cifar10-jpeg.tar.xz"])
def test_a_damaged_archive_is_refused(directory, cache, name):
    (directory / name).write_bytes(b"not an archive at all")
    with pytest.raises(DataError, match=r"cannot be read .*; accepted: an undamaged archive"):
        load_cifar10_images(directory)
    assert not cache.exists()


def test_an_archive_without_images_is_refused(directory):
    write_archive(directory / "cifar10-jpeg.tar.xz", {"readme": b""}, "w:xz")
    with pytest.raises(DataError, match=r"train/<class>/\*\.jpg of .* has no images"):
        load_cifar10_images(directory)


def test_a_missing_archive_names_the_directory_and_what_is_accepted(directory):
    with pytest.raises(DataError, match=f"{directory} .*accepted: cifar-10-batches-py, .*cifar10-jpeg.tar.xz"):
        load_cifar10_images(directory)


def test_a_missing_data_directory_names_the_variable(monkeypatch):
    monkeypatch.delenv("COSYNTH_DATA", raising=False)
    with pytest.raises(DataError, match=r"COSYNTH_DATA set to one that holds table\.csv"):
        find_file(("table.csv",))
