"""Weights that need not be stored: a closed form of (key name, flat index) that other languages repeat bit for bit.

hash = FNV-1a of the key's bytes (32 bits); x = hash + index * 0x9E3779B1 (mod 2^32), through murmur3's finalizer; with
u = x >> 16 the value is (u - 32768) / 65536 in [-0.5, 0.5), for weights of norms 1 + half of that. Both are exact in float32.
"""

import numpy as np
import torch


def fnv1a(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def is_norm_weight(name):
    return "norm" in name.lower() and name.endswith("weight")


def closed_form(name, shape):
    """The float32 tensor of that key."""
    count = int(np.prod(shape))
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(fnv1a(name))
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    value = ((x >> np.uint32(16)).astype(np.float64) - 32768) / 65536
    if is_norm_weight(name):
        value = 1 + value / 2
    return torch.from_numpy(value.astype(np.float32).reshape(tuple(shape)))


def token_ids(rows, length, vocabulary, first=5):
    """Ids that avoid the special tokens: first + (7 r + 5 t + r t) mod (vocabulary - first)."""
    r = torch.arange(rows)[:, None]
    t = torch.arange(length)[None]
    return first + (7 * r + 5 * t + r * t) % (vocabulary - first)


def mask(lengths, length):
    """0/1 mask [rows, length]."""
    return (torch.arange(length)[None] < torch.tensor(lengths)[:, None]).long()
