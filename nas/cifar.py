"""CIFAR-10 from the archives that people have: the two official ones, and the recompressed JPEGs.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. The decoded images are kept in a user cache,
so an archive is read once.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from rich.console import Console

from hwgen.cache import cache_directory
from hwgen.files import replacing
from nas.files import DataError, find_file
from nas.progress import progress_bar

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
JPEG_PROVENANCE = "JPEG CIFAR-10 (lossy recompression, about quality 75)"
OFFICIAL_PROVENANCE = "CIFAR-10"
IMAGE_SHAPE = (32, 32, 3)

_PIXELS = prod(IMAGE_SHAPE)
_PYTHON_FILES = {"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)}
_BINARY_FILES = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}


@dataclass(frozen=True, eq=False)
class CifarImages:
    """Images uint8 [N, 32, 32, 3] and labels int64 [N], as the archive divides them."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    provenance: str
    classes: tuple[str, ...] = CLASSES


Labelled = tuple[np.ndarray, np.ndarray]


def load_cifar10_images(data_dir: Path | None = None) -> CifarImages:
    """CIFAR-10 from ``data_dir`` (by default the directory that COSYNTH_DATA names), or its folder ``data``.

    Accepted there, first found first read: cifar-10-batches-py/, cifar-10-python.tar.gz, cifar-10-batches-bin/,
    cifar-10-binary.tar.gz, cifar10-jpeg.tar.xz. The decoded images lie in ``cache_directory()``.
    Raises DataError where there is none of them or it is not whole.
    """
    source = find_file(tuple(_READERS), data_dir)
    cached = _cache_path(source)
    if cached.exists():
        try:
            return _read_cache(cached)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError) as error:
            message = f"cifar10: {cached} is damaged ({error}); {source} is read again"
            Console(stderr=True).print(message, soft_wrap=True, highlight=False, markup=False)
    images = _read_source(source)
    _write_cache(cached, images)
    return images


def _read_source(source: Path) -> CifarImages:
    provenance = JPEG_PROVENANCE if source.name == "cifar10-jpeg.tar.xz" else OFFICIAL_PROVENANCE
    try:
        train, test = _READERS[source.name](source)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"cifar10: {source} cannot be read ({error}); accepted: an undamaged archive") from error
    return CifarImages(*train, *test, provenance)


def _cache_path(source: Path) -> Path:
    """One file per source, named after its path, size and time of change."""
    status = source.stat()
    key = f"{source.resolve()}:{status.st_size}:{status.st_mtime_ns}"
    return cache_directory() / f"cifar10-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"


def _read_cache(path: Path) -> CifarImages:
    with np.load(path) as stored:
        return CifarImages(
            stored["train_images"],
            stored["train_labels"],
            stored["test_images"],
            stored["test_labels"],
            str(stored["provenance"]),
        )


def _write_cache(path: Path, images: CifarImages) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        np.savez(
            file,
            train_images=images.train_images,
            train_labels=images.train_labels,
            test_images=images.test_images,
            test_labels=images.test_labels,
            provenance=images.provenance,
        )


def _read_jpeg_archive(source: Path) -> tuple[Labelled, Labelled]:
    """``train/<class>/NNNN.jpg`` and ``test/<class>/NNNN.jpg``, decoded in one streaming pass."""
    images: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    labels: dict[str, list[int]] = {"train": [], "test": []}
    with tarfile.open(source, "r|xz") as archive, progress_bar() as progress:
        for member in progress.track(archive, total=60_000, description=f"decoding {source.name}"):
            part, *rest = Path(member.name).parts
            if not member.isfile() or part not in images or len(rest) != 2 or rest[0] not in CLASSES:
                continue
            file = archive.extractfile(member)
            assert file is not None
            with Image.open(io.BytesIO(file.read())) as image:
                images[part].append(np.asarray(image.convert("RGB")))
            labels[part].append(CLASSES.index(rest[0]))
    train, test = (
        _labelled(images[part], np.array(labels[part], np.int64), f"{part}/<class>/*.jpg of {source}")
        for part in ("train", "test")
    )
    return train, test


def _labelled(images: list[np.ndarray] | np.ndarray, labels: np.ndarray, name: str) -> Labelled:
    """The images, stacked, and their labels. Raises DataError where they are not CIFAR-10's."""
    if not len(images):
        raise DataError(f"cifar10: {name} has no images; accepted: at least one")
    for image in images:
        if image.shape != IMAGE_SHAPE:
            raise DataError(f"cifar10: {name} has an image of {list(image.shape)}; accepted: {list(IMAGE_SHAPE)}")
    if labels.shape != (len(images),):
        raise DataError(f"cifar10: {name} has {labels.size} labels; accepted: one for each of its {len(images)} images")
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise DataError(
            f"cifar10: {name} has labels from {labels.min()} to {labels.max()}; accepted: 0 to {len(CLASSES) - 1}"
        )
    return np.asarray(images), labels


def _read_python(source: Path) -> tuple[Labelled, Labelled]:
    files = dict(_members(source, _PYTHON_FILES))
    return _joined(files, _PYTHON_FILES["train"], _from_pickle), _joined(files, _PYTHON_FILES["test"], _from_pickle)


def _read_binary(source: Path) -> tuple[Labelled, Labelled]:
    files = dict(_members(source, _BINARY_FILES))
    return _joined(files, _BINARY_FILES["train"], _from_binary), _joined(files, _BINARY_FILES["test"], _from_binary)


def _members(source: Path, names: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, bytes]]:
    """The named files' contents, from a directory or an archive."""
    wanted = {name for part in names.values() for name in part}
    found = set()
    if source.is_dir():
        for name in wanted:
            if (source / name).is_file():
                found.add(name)
                yield name, (source / name).read_bytes()
    else:
        with tarfile.open(source, "r:gz") as archive:
            for member in archive:
                name = Path(member.name).name
                if member.isfile() and name in wanted:
                    file = archive.extractfile(member)
                    assert file is not None
                    found.add(name)
                    yield name, file.read()
    if found != wanted:
        raise DataError(f"cifar10: {source} lacks {', '.join(sorted(wanted - found))}")


def _joined(files: dict[str, bytes], names: Iterable[str], read: Any) -> Labelled:
    parts = [read(files[name], name) for name in names]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


class _ArrayUnpickler(pickle.Unpickler):
    """Loads NumPy arrays and plain containers; anything else in the file is refused, for pickles can run code."""

    _ALLOWED = frozenset(
        {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
    )

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not accepted")
        return super().find_class(module, name)


def _from_pickle(content: bytes, name: str) -> Labelled:
    try:
        batch = _ArrayUnpickler(io.BytesIO(content)).load()
        batch = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        images = _planes(np.asarray(batch["data"]).astype(np.uint8, casting="safe"))
        labels = np.asarray(batch["labels"], np.int64)
    except Exception as error:  # A damaged pickle may raise anything.
        raise DataError(f"cifar10: {name} is not a batch of the official Python archive ({error})") from error
    return _labelled(images, labels, name)


def _from_binary(content: bytes, name: str) -> Labelled:
    """Records of one label byte and 3072 pixel bytes."""
    if not content or len(content) % (_PIXELS + 1):
        raise DataError(f"cifar10: {name} has {len(content)} bytes; accepted: records of {_PIXELS + 1} bytes")
    records = np.frombuffer(content, np.uint8).reshape(-1, _PIXELS + 1)
    return _labelled(_planes(records[:, 1:]), records[:, 0].astype(np.int64), name)


def _planes(flat: np.ndarray) -> np.ndarray:
    """Planar uint8 [N, 3072] as images [N, 32, 32, 3]."""
    return np.ascontiguousarray(flat.reshape(len(flat), 3, 32, 32).transpose(0, 2, 3, 1))


_READERS = {
    "cifar-10-batches-py": _read_python,
    "cifar-10-python.tar.gz": _read_python,
    "cifar-10-batches-bin": _read_binary,
    "cifar-10-binary.tar.gz": _read_binary,
    "cifar10-jpeg.tar.xz": _read_jpeg_archive,
}
