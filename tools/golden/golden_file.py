"""Encoding of tensors and writing of golden files (JSON, one per generator)."""

import json
import math
import os
import platform
from importlib import metadata
from pathlib import Path

import torch

OUTPUT_FOLDER = Path(__file__).resolve().parents[2] / "tests" / "golden"
MAX_FILE_BYTES = 300_000


def number(value, digits=9):
    """Shortest JSON number that keeps `digits` significant digits; refuses NaN and infinity."""
    value = float(f"{float(value):.{digits}g}")
    if not math.isfinite(value):
        raise ValueError(f"Cannot write a golden value: value is {value}, expected a finite number")
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def tensor(values, digits=9):
    """{"shape": [...], "data": [...]}, row-major."""
    values = values.detach()
    data = values.reshape(-1).tolist()
    if not values.is_floating_point():
        return {"shape": list(values.shape), "data": [int(v) for v in data]}
    return {"shape": list(values.shape), "data": [number(v, digits) for v in data]}


def exact_tensor(values):
    """As tensor(), for float32 inputs: shortest decimals that read back as the same float32."""
    assert values.dtype == torch.float32
    data = [number(str(v)) for v in values.detach().reshape(-1).numpy()]
    return {"shape": list(values.shape), "data": data}


def gradient(values, full_limit=10**9, samples=97, digits=9):
    """The whole gradient, or for large tensors its 2-norm and every `stride`-th element."""
    values = values.detach()
    if values.numel() <= full_limit:
        return tensor(values, digits)
    stride = max(1, values.numel() // samples)
    if stride % 2 == 0:
        stride += 1  # odd, so that the samples do not stay in a few columns of a power-of-two width
    flat = values.reshape(-1)
    return {
        "shape": list(values.shape),
        "norm": number(flat.double().norm(), digits),
        "offset": 0,
        "stride": stride,
        "data": [number(v, digits) for v in flat[::stride].tolist()],
    }


def versions(*packages):
    """Exact versions of Python, torch and the named packages."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for package in packages:
        found[package] = metadata.version(package)
    return found


def write_golden(name, generator, packages, source, dtype, body):
    """Writes tests/golden/<name>.json by a temporary name and a rename."""
    document = {
        "generator": f"tools/golden/{generator}",
        "versions": versions(*packages),
        "source": source,
        "dtype": dtype,
        **body,
    }
    text = json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n"
    if len(text) > MAX_FILE_BYTES:
        raise ValueError(f"Cannot write {name}.json: size is {len(text)}, expected <= {MAX_FILE_BYTES}")
    path = OUTPUT_FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".json.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
    print(f"{path.name}: {len(text)} bytes")


def seeded(seed):
    """A torch generator with a fixed seed."""
    return torch.Generator().manual_seed(seed)


def short_normal(generator, shape, std=1.0, mean=0.0, decimals=3):
    """Normal values rounded to a few decimals (keeps the files small), then to float32."""
    raw = torch.randn(shape, generator=generator, dtype=torch.float64) * std + mean
    return (torch.round(raw * 10**decimals) / 10**decimals).to(torch.float32)
