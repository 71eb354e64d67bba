"""Writes primitives.json: single operations with outputs and gradients, float64."""

import torch
import torch.nn.functional as F

import golden_file as gf
from leap_reference import head_norm


def record(function, inputs, constants=None, extra=None, seed=1000):
    """Runs function(**inputs) on float64 leaves and a seeded upstream gradient."""
    leaves = {n: x.double().requires_grad_() for n, x in inputs.items()}
    output = function(**leaves)
    upstream = gf.short_normal(gf.seeded(seed), tuple(output.shape))
    grads = torch.autograd.grad(output, list(leaves.values()), upstream.double())
    return {
        **(extra or {}),
        "inputs": {n: gf.exact_tensor(x) for n, x in inputs.items()},
        **({"constants": {n: gf.tensor(x) for n, x in constants.items()}} if constants else {}),
        "upstream": gf.exact_tensor(upstream),
        "output": gf.tensor(output),
        "gradients": {n: gf.tensor(g) for n, g in zip(leaves, grads)},
    }


def normal(seed, *shape, std=1.5, mean=0.0):
    return gf.short_normal(gf.seeded(seed), shape, std, mean)


def norm_cases():
    x, weight, bias = normal(1, 2, 3, 7), normal(2, 7, std=0.3, mean=1.0), normal(3, 7, std=0.3)
    constant_row = x.clone()
    constant_row[0, 1] = 0.5
    layer_norm = lambda x, weight, bias: F.layer_norm(x, (7,), weight, bias, 1e-5)
    return {
        "layer_norm": record(layer_norm, {"x": x, "weight": weight, "bias": bias}, extra={"epsilon": 1e-5}),
        "layer_norm_constant_row": record(layer_norm, {"x": constant_row, "weight": weight, "bias": bias},
                                          extra={"epsilon": 1e-5}),
        "layer_norm_large_mean": record(layer_norm, {"x": x + 1000, "weight": weight, "bias": bias},
                                        extra={"epsilon": 1e-5}),
        "rms_norm": record(lambda x, weight: F.rms_norm(x, (7,), weight, 1e-6),
                           {"x": x, "weight": weight}, extra={"epsilon": 1e-6}),
        "leap_head_norm": record(lambda x: head_norm(x), {"x": x}, extra={"epsilon": 1e-5}),
        "leap_head_norm_constant_row": record(lambda x: head_norm(x), {"x": constant_row},
                                              extra={"epsilon": 1e-5}),
    }


def activation_cases():
    x = torch.cat([normal(4, 12, std=2.0), torch.tensor([0.0, -0.0, 1e-4, -1e-4, 6.0, -6.0, 12.0, -12.0, 30.0, -30.0])])
    logits = normal(5, 3, 9, std=4.0)
    big = logits + 200
    return {
        "gelu_exact": record(lambda x: F.gelu(x), {"x": x}),
        "gelu_tanh": record(lambda x: F.gelu(x, approximate="tanh"), {"x": x}),
        "elu": record(lambda x: F.elu(x), {"x": x}),
        "sigmoid": record(lambda x: torch.sigmoid(x), {"x": x}),
        "softmax": record(lambda x: torch.softmax(x, -1), {"x": logits}),
        "softmax_large_logits": record(lambda x: torch.softmax(x, -1), {"x": big}),
        "log_softmax": record(lambda x: torch.log_softmax(x, -1), {"x": logits}),
        "cumsum_axis_1": record(lambda x: torch.cumsum(x, 1), {"x": normal(6, 2, 9, 3)}),
    }


def cross_entropy_cases():
    logits = normal(7, 6, 11, std=2.0)
    target = torch.tensor([3, -100, 0, 10, 3, -100])
    cases = {}
    for name, options in {
        "mean": {}, "sum": {"reduction": "sum"},
        "label_smoothing": {"label_smoothing": 0.1},
    }.items():
        cases[f"cross_entropy_{name}"] = record(
            lambda x: F.cross_entropy(x, target, **options), {"x": logits}, {"target": target},
            {"ignore_index": -100, "label_smoothing": 0, "reduction": "mean", **options})
    dense = torch.tensor([3, 1, 0, 10, 3, 7])
    cases["cross_entropy_none_ignored"] = record(
        lambda x: F.cross_entropy(x, dense), {"x": logits}, {"target": dense},
        {"ignore_index": -100, "label_smoothing": 0, "reduction": "mean"})
    return cases


def embedding_cases():
    ids = torch.tensor([[2, 0, 2, 5], [5, 2, 1, 0]])
    return {"embedding_repeated_ids": record(lambda weight: F.embedding(ids, weight),
                                             {"weight": normal(8, 6, 3)}, {"ids": ids})}


def attention_cases():
    B, H, T, d = 2, 2, 5, 4
    inputs = {"q": normal(9, B, H, T, d), "k": normal(10, B, H, T, d), "v": normal(11, B, H, T, d)}
    padding = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    allowed = padding.bool()[:, None, None, :]
    causal = torch.ones(T, T, dtype=torch.bool).tril()
    attend = lambda mask: lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    shape = {"layout": "[B, H, T, d]", "scale": gf.number(d**-0.5)}
    return {
        "attention_full": record(attend(None), inputs, extra={**shape, "causal": False}),
        "attention_causal": record(
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), inputs,
            extra={**shape, "causal": True}),
        "attention_padding": record(attend(allowed), inputs, {"key_mask": padding},
                                    {**shape, "causal": False}),
        "attention_causal_padding": record(attend(allowed & causal), inputs, {"key_mask": padding},
                                           {**shape, "causal": True}),
    }


def convolution_cases():
    x, weight, bias = normal(12, 2, 3, 12), normal(13, 5, 3, 4, std=0.5), normal(14, 5, std=0.5)
    sequence, expand, expand_bias = normal(15, 2, 3, 8), normal(16, 12, 3, 2, std=0.5), normal(17, 12, std=0.5)
    transpose = normal(18, 3, 5, 4, std=0.5)
    return {
        "conv1d_kernel4_stride4": record(
            lambda x, weight, bias: F.conv1d(x, weight, bias, stride=4),
            {"x": x, "weight": weight, "bias": bias}, extra={"kernel": 4, "stride": 4, "layout": "[B, C, L]"}),
        # The expander's use: positions as channels (3 -> 12), kernel 2 and stride 2 along the width.
        "conv1d_kernel2_stride2": record(
            lambda x, weight, bias: F.conv1d(x, weight, bias, stride=2),
            {"x": sequence, "weight": expand, "bias": expand_bias},
            extra={"kernel": 2, "stride": 2, "layout": "[B, C, L]"}),
        "conv_transpose1d_kernel4_stride4": record(
            lambda x, weight, bias: F.conv_transpose1d(x, weight, bias, stride=4),
            {"x": normal(19, 2, 3, 4), "weight": transpose, "bias": bias},
            extra={"kernel": 4, "stride": 4, "layout": "[B, C, L], weight [in, out, kernel]"}),
    }


if __name__ == "__main__":
    cases = {**norm_cases(), **activation_cases(), **cross_entropy_cases(), **embedding_cases(),
             **attention_cases(), **convolution_cases()}
    gf.write_golden("primitives", "primitives.py", (), "torch functional operations in float64", "float64",
                    {"cases": cases})
