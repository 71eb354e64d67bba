"""Writes lsg_attention.json and its siblings _stride, _causal and _lsh: LSG self-attention of lsg-converter's BERT.

Each case calls the reference's attention class on given queries, keys and values (globals first) with the mask that its encoder
would build, and takes gradients by autograd. Left out, since the reference crashes: causal with T <= 2B (triangular mask of the
wrong shape), odd B/f > 1, lsh in float64 (mixes types; its cases are float32), lsh whose last round has one bucket.
"""

import torch
from lsg_converter.bert.modeling_lsg_bert import LSGBertConfig, LSGSelfAttention

import golden_file as gf
from lsg_weights import closed_form

H, D = 2, 4
TYPES = ["none", "norm", "pooling", "stride", "block_stride", "bos_pooling"]
HOLE = [2, 3, 6, 7, 8, 9, 10, 11, 18, 19]


def inputs(batch, globals_, length, dtype):
    """[batch, N, 3, H, d] in [-2, 2) and the upstream gradient [batch, N, H, d] in [-0.5, 0.5)."""
    n = globals_ + length
    qkv = closed_form("lsg_attention.qkv", (batch, n, 3, H, D)) * 4
    upstream = closed_form("lsg_attention.upstream", (batch, n, H, D))
    return qkv.to(dtype).requires_grad_(), upstream.to(dtype)


def text_mask(batch, length, kind):
    """0/1 [batch, length]: none, tail (row r loses 3 + 2r tokens), hole (whole groups and blocks masked)."""
    mask = torch.ones(batch, length, dtype=torch.long)
    for row in range(batch):
        if kind == "tail":
            mask[row, length - 3 - 2 * row:] = 0
        if kind == "hole":
            mask[row, [t + row for t in HOLE if t + row < length]] = 0
    return mask


def case(type_, block=4, sparse=4, factor=2, globals_=2, length=20, mask="none", batch=1, first=False, causal=False,
         dtype=torch.float64, projections=None, rounds=1):
    config = LSGBertConfig(hidden_size=H * D, num_attention_heads=H, attention_probs_dropout_prob=0.0, block_size=block,
                           sparse_block_size=sparse, sparsity_factor=factor, sparsity_type=type_, lsh_num_pre_rounds=rounds,
                           num_global_tokens=globals_, is_decoder=causal)
    layer = LSGSelfAttention(config).eval()
    qkv, upstream = inputs(batch, globals_, length, dtype)
    keep = text_mask(batch, length, mask)
    seen = keep.clone()
    if first:
        seen[:, 0] = 0
    padding = -length % block if length > 2 * block else 0
    seen = torch.nn.functional.pad(seen, (0, padding))
    additive = ((1 - seen) * torch.finfo(dtype).min).to(dtype)[:, None, None, :]
    q, k, v = torch.nn.functional.pad(qkv, (0, 0, 0, 0, 0, 0, 0, padding)).permute(2, 0, 3, 1, 4)
    forward = layer.causal_forward if causal else layer.not_causal_forward
    output = forward(q, k, v, attention_mask=additive)[0][:, : globals_ + length]
    output = output.reshape(batch, globals_ + length, H, D)
    (output * upstream).sum().backward()
    groups_hidden = type_ == "bos_pooling" and factor > 1 and mask != "none" and length > 2 * block
    parity = {**({"bosPoolingMaskBug": True} if groups_hidden else {}),
              **({"oddRightOffset": True} if (block // factor) % 2 and not causal and type_ != "none" else {})}
    digits = 7
    return {
        "batch": batch, "globals": globals_, "length": length, "blockSize": block, "sparseBlockSize": sparse,
        "sparsityFactor": factor, "sparsityType": type_, "causal": causal, "maskFirstToken": first,
        **({"parity": parity} if parity else {}), **({"lshPreRounds": rounds} if type_ == "lsh" else {}),
        "mask": gf.tensor(keep), "output": gf.tensor(output, digits), "qkv_gradient": gf.tensor(qkv.grad, digits),
        **({"projections": projections} if projections else {}),
    }


def lsh_case(**options):
    """With the hyperplanes that the reference draws replaced by closed-form ones, one set [H, d, m] per round."""
    used, normal = [], torch.randn

    def planes(*shape, device=None):
        values = closed_form(f"lsg_attention.lsh.{len(used)}", shape) * 4
        used.append(gf.exact_tensor(values[0, :, 0]))
        return values

    torch.set_default_dtype(torch.float32)
    torch.randn = planes
    try:
        return case("lsh", dtype=torch.float32, projections=used, **options)
    finally:
        torch.randn = normal
        torch.set_default_dtype(torch.float64)


def cases_of(types, causal=False):
    cases = {}
    for type_ in types:
        cases[f"{type_}_4_2"] = case(type_, causal=causal, mask="tail")
        cases[f"{type_}_hole"] = case(type_, causal=causal, mask="hole", globals_=1, first=type_ in ("norm", "pooling"))
        if type_ == "none":
            continue
        cases[f"{type_}_2_2"] = case(type_, sparse=2, globals_=1, causal=causal)
        cases[f"{type_}_8_2"] = case(type_, sparse=8, length=24, globals_=1, causal=causal)
        cases[f"{type_}_4_4"] = case(type_, factor=4, globals_=3, causal=causal)
        if type_ != "bos_pooling":
            cases[f"{type_}_odd"] = case(type_, length=18, mask="tail", batch=2, causal=causal)
        if not causal:
            cases[f"{type_}_block8_4"] = case(type_, block=8, sparse=4, factor=4, length=32, globals_=1, mask="tail")
    return cases


def special_cases(causal=False):
    cases = {}
    cases["all_4_1"] = case("stride", factor=1, causal=causal, globals_=1)
    cases["all_8_1"] = case("norm", sparse=8, factor=1, length=24, mask="tail", causal=causal, globals_=5)
    cases["first_masked"] = case("bos_pooling", first=True, causal=causal, globals_=5)
    if not causal:
        cases["full_8"] = case("norm", length=8, mask="tail", batch=2)
        cases["full_5"] = case("pooling", length=5, globals_=5, first=True)
        cases["just_longer_9"] = case("stride", length=9)
    return cases


def lsh_cases():
    return {
        "lsh_4_2": lsh_case(),
        "lsh_8_2": lsh_case(block=8, sparse=8, length=24, mask="tail"),
        "lsh_hole": lsh_case(block=8, sparse=8, length=24, mask="hole", globals_=1),
        "lsh_no_rounds": lsh_case(block=8, sparse=8, length=24, rounds=0),
        "lsh_two_rounds": lsh_case(block=8, sparse=8, length=24, rounds=2),
        "lsh_smaller_sparse": lsh_case(block=8, sparse=4, factor=2, length=24, mask="tail"),
        "lsh_odd": lsh_case(length=18, mask="tail", batch=2),
        "lsh_causal": lsh_case(block=8, sparse=8, length=24, mask="tail", causal=True),
        "lsh_is_bos_pooling": lsh_case(factor=4, globals_=1),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    packages = ("transformers", "lsg-converter")
    source = "LSGSelfAttention of lsg_converter.bert.modeling_lsg_bert, gradients by autograd"
    layout = {"heads": H, "head_size": D, "inputs": "qkv [B, N, 3, H, d] = 4 * closed form of 'lsg_attention.qkv'; upstream "
              "[B, N, H, d] = closed form of 'lsg_attention.upstream'; globals first; mask [B, T] covers the text"}
    for name, kind, cases in [("lsg_attention", "float64", {**cases_of(TYPES[:3]), **special_cases()}),
                              ("lsg_attention_stride", "float64", cases_of(TYPES[3:])),
                              ("lsg_attention_causal", "float64", {**cases_of(TYPES, True), **special_cases(True)}),
                              ("lsg_attention_lsh", "float32", lsh_cases())]:
        gf.write_golden(name, "lsg_attention.py", packages, source, kind, {**layout, "cases": cases})
