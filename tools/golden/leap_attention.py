"""Writes leap_attention_<variant>.json: the mechanism alone, float64, with input gradients."""

import torch
from leap import MultiheadLeap

import golden_file as gf
import leap_reference as ref

SHAPES = {1: (2, 2, 8), 7: (2, 2, 8), 33: (1, 2, 8)}  # T -> (B, H, d)
WINDOWS_BEYOND_T = 7
NOISE = 1e-12
INPUT_NAMES = {"2022-08": ["q", "f1", "f2", "v"], "1.0": ["q", "f", "k", "v"], "1.0.1": ["q", "f", "k", "v"]}
RESCALE = {"2022-08": 8.0, "1.0": None, "1.0.1": 10.0}
MASK_VALUE = {"2022-08": -10000.0, "1.0": -100.0, "1.0.1": -100.0}
SOURCES = {
    "2022-08": "Plain torch from the specification text of variant 2022-08",
    "1.0": "Plain torch from the specification text of variant 1.0 (weight elu(l) + 1)",
    "1.0.1": "PyPI leap-transformer 1.0.1, MultiheadLeap in float64; e and z from plain torch",
}


def inputs_for(T, masked):
    B, H, d = SHAPES[T]
    generator = gf.seeded(100 + T)
    values = [gf.short_normal(generator, (B, T, H, d), 1.2, 0.1) for _ in range(4)]
    upstream = gf.short_normal(generator, (B, T, H, d))
    mask = None
    if masked:
        mask = torch.ones(B, T, dtype=torch.long)
        mask[0, 2:4] = 0
        mask[1, -1:] = 0
    return values, upstream, mask


def package_output(leaves, window, rescale, additive):
    B, T, H, d = leaves[0].shape
    module = MultiheadLeap(H * d, H, window, rescale=rescale, dropout=0.0).eval()
    flat = [x.reshape(B, T, H * d) for x in leaves]
    output = module(*flat, None if additive is None else additive[:, :, None])
    return output.reshape(B, T, H, d)


def run(variant, values, upstream, mask, window, rescale):
    leaves = [v.double().requires_grad_() for v in values]
    additive = None if mask is None else (1.0 - mask.double()) * MASK_VALUE[variant]
    output, e, z = ref.MECHANISMS[variant](*leaves, window, rescale, additive)
    if variant == "1.0.1":
        published = package_output(leaves, window, rescale, additive)
        assert (published - output).abs().max() < 1e-10, "plain torch differs from the package"
        output = published
    grads = torch.autograd.grad(output, leaves, upstream.double())
    return output, e, z, grads


def without_noise(x):
    """Zero where float64 holds only rounding noise: with window 1 some gradients are exactly 0."""
    return torch.where(x.abs() < NOISE, torch.zeros_like(x), x)


def window_case(variant, values, upstream, mask, window, rescale):
    output, e, z, grads = run(variant, values, upstream, mask, window, rescale)
    encode = lambda x: gf.tensor(without_noise(x), 9 if x.numel() < 500 else 8)
    return {
        "window": window, "rescale": rescale, "output": encode(output), "e": encode(e), "z": encode(z),
        "gradients": {n: encode(g) for n, g in zip(INPUT_NAMES[variant], grads)},
    }


def length_case(variant, T, windows, masked=False, rescale=None):
    values, upstream, mask = inputs_for(T, masked)
    body = {
        "T": T,
        "inputs": {n: gf.exact_tensor(v) for n, v in zip(INPUT_NAMES[variant], values)},
        "upstream": gf.exact_tensor(upstream),
        "windows": [window_case(variant, values, upstream, mask, w, rescale) for w in windows],
    }
    if mask is not None:
        body["attention_mask"] = gf.tensor(mask)
        body["mask_value"] = MASK_VALUE[variant]
    return body


def variant_cases(variant):
    rescale = RESCALE[variant]
    cases = {}
    for T in SHAPES:
        windows = sorted({1, 4, T, T + WINDOWS_BEYOND_T})
        case = length_case(variant, T, windows, rescale=rescale)
        # A window longer than T gives exactly the window T result: keep one copy and say so.
        longest, full = case["windows"][-1], next(w for w in case["windows"] if w["window"] == T)
        assert longest["output"] == full["output"] and longest["gradients"] == full["gradients"]
        case["windows"][-1] = {"window": longest["window"], "rescale": rescale, "same_as_window": T}
        cases[f"T{T}"] = case
    cases["T7_masked"] = length_case(variant, 7, [4, 7], masked=True, rescale=rescale)
    if variant == "1.0.1":
        cases["T7_no_rescale"] = length_case(variant, 7, [4, 7], rescale=None)
    return cases


if __name__ == "__main__":
    for variant in ref.MECHANISMS:
        packages = ("leap-transformer", "transformers") if variant == "1.0.1" else ()
        name = "leap_attention_" + variant.replace("-", "_").replace(".", "_")
        gf.write_golden(name, "leap_attention.py", packages, SOURCES[variant], "float64",
                        {"variant": variant, "cases": variant_cases(variant)})
