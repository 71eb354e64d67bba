"""Writes conv_attention.json: parts of Convolution Attention and Progressive Diverging with gradients, float64."""

import torch
import torch.nn.functional as F

import golden_file as gf

HEADS, RANK, ALPHA = 2, 2, 4.0


def attend(qkv):
    """Causal attention of a packed projection [B, T, 3D]."""
    B, T, width = qkv.shape
    q, k, v = (part.reshape(B, T, HEADS, -1).transpose(1, 2) for part in qkv.split(width // 3, dim=-1))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, width // 3)


def lora_attention(z, qkv, qkv_bias, projection, projection_bias, a, b):
    """Attention and low-rank branch before one output projection; the factor is alpha / rank."""
    branch = attend(z @ a @ b) * (ALPHA / RANK)
    return (attend(z @ qkv + qkv_bias) + branch) @ projection + projection_bias


def norm(x, weight, bias):
    return F.layer_norm(x, (x.shape[-1],), weight, bias, 1e-5)


def compressor(x, norm_weight, norm_bias, weight, bias):
    """[B, L, w] to [B, L / 4, 2w]: Conv1d over time."""
    return F.conv1d(norm(x, norm_weight, norm_bias).transpose(1, 2), weight, bias, stride=4).transpose(1, 2)


def expander_published(x, norm_weight, norm_bias, weight, bias):
    """[B, L, w] to [B, 4L, w / 2]: Conv1d with the positions as channels."""
    return F.conv1d(norm(x, norm_weight, norm_bias), weight, bias, stride=2)


def expander_causal(x, norm_weight, norm_bias, weight, bias, start):
    """[B, L, w] to [B, 4L, w / 2]: ConvTranspose1d over time, shifted by one position."""
    shifted = torch.cat([start.expand(x.shape[0], 1, -1), x[:, :-1]], dim=1)
    y = F.conv_transpose1d(norm(shifted, norm_weight, norm_bias).transpose(1, 2), weight, bias, stride=4)
    return y.transpose(1, 2)


def record(function, seed, shapes, spread):
    """Runs a function on seeded inputs and a seeded upstream gradient."""
    inputs = {
        name: gf.short_normal(gf.seeded(seed + i), shape, *spread.get(name, (0.5,)))
        for i, (name, shape) in enumerate(shapes.items())
    }
    leaves = {name: x.double().requires_grad_() for name, x in inputs.items()}
    output = function(**leaves)
    upstream = gf.short_normal(gf.seeded(seed + 100), tuple(output.shape))
    gradients = torch.autograd.grad(output, list(leaves.values()), upstream.double())
    return {
        "inputs": {name: gf.exact_tensor(x) for name, x in inputs.items()},
        "upstream": gf.exact_tensor(upstream),
        "output": gf.tensor(output),
        "gradients": {name: gf.tensor(g) for name, g in zip(leaves, gradients)},
    }


if __name__ == "__main__":
    B, T, D, L, w = 2, 5, 8, 3, 6
    gain = {"norm_weight": (0.3, 1.0), "norm_bias": (0.3,), "x": (1.5,), "z": (1.0,)}
    resample = lambda length, weight, bias: {
        "x": (B, length, w), "norm_weight": (w,), "norm_bias": (w,), "weight": weight, "bias": bias}
    cases = {
        "lora_attention": {
            "heads": HEADS, "rank": RANK, "alpha": ALPHA,
            **record(lora_attention, 1, {
                "z": (B, T, D), "qkv": (D, 3 * D), "qkv_bias": (3 * D,), "projection": (D, D),
                "projection_bias": (D,), "a": (D, RANK), "b": (RANK, 3 * D)}, gain)},
        "compressor": record(compressor, 20, resample(8, (2 * w, w, 4), (2 * w,)), gain),
        "expander_published": record(expander_published, 40, resample(L, (4 * L, L, 2), (4 * L,)), gain),
        "expander_causal": record(expander_causal, 60, {**resample(L, (w, w // 2, 4), (w // 2,)), "start": (w,)}, gain),
    }
    gf.write_golden("conv_attention", "conv_attention.py", (), "torch functional operations in float64", "float64",
                    {"cases": cases})
