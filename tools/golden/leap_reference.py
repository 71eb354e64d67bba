"""LEAP written out in plain torch, in three variants; shapes are [B, T, H, d] unless said.

`2022-08` and `1.0` follow the project's specification text. `1.0.1` follows the behaviour of the
published package of that version and is checked against it by the generators.
No dropout anywhere: golden values are made in evaluation mode.
"""

import torch
import torch.nn.functional as F

NORM_EPSILON = 1e-5
WEIGHT_SUM_EPSILON = 1e-5


def head_norm(x):
    """(x - mean) / (std + 1e-5) over the head width; std divides by d - 1."""
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + NORM_EPSILON)


def windowed_sum(terms, window):
    """Sum of the last `window` terms over time, as a difference of running sums."""
    total = torch.cumsum(terms, dim=1)
    if window >= total.shape[1]:
        return total
    left = torch.zeros_like(total[:, :window])
    return total - torch.cat([left, total[:, :-window]], dim=1)


def leap_2022_08(q, f1, f2, v, window, rescale=8.0, mask=None):
    """mask is additive [B, T] or None. Returns (output, weight e [B, T, H], weight sum z [B, T, H])."""
    d = q.shape[-1]
    logit = (head_norm(f1) * head_norm(f2)).sum(-1) / d * rescale
    if mask is not None:
        logit = logit + mask[:, :, None]
    e = torch.exp(logit)
    z = windowed_sum(e, window)
    g = windowed_sum(e[..., None] * v, window) / z[..., None]
    gate = torch.sigmoid((q * g).sum(-1) / d**0.5)
    return gate[..., None] * g, e, z


def leap_1_0(q, f, k, v, window, rescale=None, mask=None):
    """Specification text of `1.0`: weight elu(l) + 1, no norm. Returns as leap_2022_08."""
    assert rescale is None
    scale = q.shape[-1] ** -0.5
    logit = (f * k).sum(-1) * scale
    if mask is not None:
        logit = logit + mask[:, :, None]
    e = F.elu(logit) + 1
    z = windowed_sum(e, window)
    return _query_focus(q, k, v, e, z, window, scale), e, z


def leap_1_0_1(q, f, k, v, window, rescale=10.0, mask=None):
    """Published package 1.0.1: weight exp(l); with rescale set, q, f, k, v are normed first."""
    d = q.shape[-1]
    scale = d**-0.5
    if rescale is not None:
        q, f, k, v = head_norm(q), head_norm(f), head_norm(k), head_norm(v)
        scale = rescale / d
    logit = (f * k).sum(-1) * scale
    if mask is not None:
        logit = logit + mask[:, :, None]
    e = torch.exp(logit)
    z = windowed_sum(e, window)
    return _query_focus(q, k, v, e, z, window, scale), e, z


def _query_focus(q, k, v, e, z, window, scale):
    denominator = (z + WEIGHT_SUM_EPSILON)[..., None]
    focused_k = windowed_sum(e[..., None] * k, window) / denominator
    focused_v = windowed_sum(e[..., None] * v, window) / denominator
    gate = torch.sigmoid((q * focused_k).sum(-1) * scale)
    return gate[..., None] * focused_v


MECHANISMS = {"2022-08": leap_2022_08, "1.0": leap_1_0, "1.0.1": leap_1_0_1}


def parameter_shapes(config):
    """Name -> shape; linear weights are [out, in]."""
    D, V = config["hidden_size"], config["vocab_size"]
    shapes = {"token_embedding.weight": (V, D), "position_embedding.weight": (config["n_positions"], D)}
    for i in range(config["n_layer"]):
        block = f"blocks.{i}"
        shapes[f"{block}.attention_norm.weight"] = (D,)
        shapes[f"{block}.attention_norm.bias"] = (D,)
        shapes[f"{block}.projection.weight"] = (4 * D, D)
        shapes[f"{block}.mlp_norm.weight"] = (D,)
        shapes[f"{block}.mlp_norm.bias"] = (D,)
        shapes[f"{block}.mlp_in.weight"] = (4 * D, D)
        shapes[f"{block}.mlp_out.weight"] = (D, 4 * D)
        if config["variant"] != "2022-08":
            shapes[f"{block}.mlp_in.bias"] = (4 * D,)
            shapes[f"{block}.mlp_out.bias"] = (D,)
    shapes["final_norm.weight"] = (D,)
    shapes["final_norm.bias"] = (D,)
    return shapes


def forward(config, parameters, ids, attention_mask=None):
    """Returns (logits [B, T, V], hidden states: embeddings sum, then after each block, [B, T, D])."""
    B, T = ids.shape
    D, H = config["hidden_size"], config["n_heads"]
    mechanism = MECHANISMS[config["variant"]]
    p = parameters
    x = p["token_embedding.weight"][ids] + p["position_embedding.weight"][:T]
    mask = None
    if attention_mask is not None:
        mask = (1.0 - attention_mask.to(x.dtype)) * config["mask_value"]
    hidden = [x]
    for i, window in enumerate(config["window_sizes"]):
        get = lambda name: p.get(f"blocks.{i}.{name}")
        norm_a = lambda y: F.layer_norm(y, (D,), get("attention_norm.weight"), get("attention_norm.bias"))
        norm_b = lambda y: F.layer_norm(y, (D,), get("mlp_norm.weight"), get("mlp_norm.bias"))
        parts = F.linear(norm_a(x), get("projection.weight")).chunk(4, dim=-1)
        heads = [part.reshape(B, T, H, D // H) for part in parts]
        attended = mechanism(*heads, window, config["rescale_value"], mask)[0]
        x = x + attended.reshape(B, T, D)
        # The 2022-08 revision applies the attention norm a second time before its feed-forward norm.
        y = norm_b(norm_a(x)) if config["variant"] == "2022-08" else norm_b(x)
        y = F.gelu(F.linear(y, get("mlp_in.weight"), get("mlp_in.bias")))
        x = x + F.linear(y, get("mlp_out.weight"), get("mlp_out.bias"))
        hidden.append(x)
    y = F.layer_norm(x, (D,), p["final_norm.weight"], p["final_norm.bias"])
    return F.linear(y, p["token_embedding.weight"]), hidden


def loss_of(logits, ids, attention_mask=None):
    """Mean cross-entropy of the next token over T - 1 positions; padding targets are ignored."""
    labels = ids.clone()
    if attention_mask is not None:
        labels[attention_mask == 0] = -100
    return F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1))
