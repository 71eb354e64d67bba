"""Writes longformer_attention.json: self-attention of transformers' Longformer on given queries, keys and values.

The published model has a second set of projections for its global tokens; here both sets are replaced by the same given tensors, as
in this suite. Its window must divide the length; the globals are the first positions.
"""

import torch
from transformers import LongformerConfig
from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

import golden_file as gf
from lsg_weights import closed_form

H, D = 2, 4


class Given(torch.nn.Module):
    """Stands for a projection: returns given rows [N, B, H d], the first as many as are asked for."""

    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def forward(self, hidden):
        return self.rows[: hidden.shape[0]].clone()  # the layer divides it in place


def case(batch, globals_, text, window, padded=0):
    """window: text tokens on each side; padded: tokens masked at the end of the second sequence."""
    n = globals_ + text
    qkv = (closed_form("longformer_attention.qkv", (batch, n, 3, H, D)) * 4).double().requires_grad_()
    upstream = closed_form("longformer_attention.upstream", (batch, n, H, D)).double()
    config = LongformerConfig(hidden_size=H * D, num_attention_heads=H, attention_window=[2 * window],
                              attention_probs_dropout_prob=0.0)
    layer = LongformerSelfAttention(config, 0).double().eval()
    parts = [qkv[:, :, part].reshape(batch, n, H * D).transpose(0, 1) for part in range(3)]
    for name, rows in zip(("query", "key", "value"), parts):
        setattr(layer, name, Given(rows))
        setattr(layer, f"{name}_global", Given(rows))
    mask = torch.zeros(batch, n, dtype=torch.double)
    mask[:, :globals_] = 10000.0
    if padded:
        mask[-1, n - padded:] = -10000.0
    output = layer(torch.zeros(batch, n, H * D, dtype=torch.double), attention_mask=mask,
                   is_index_masked=mask < 0, is_index_global_attn=mask > 0, is_global_attn=True)[0]
    output = output.reshape(batch, n, H, D)
    # The reference gives padded queries zeros; what they hand on does not count.
    counts = (mask >= 0).double()[:, :, None, None]
    (output * upstream * counts).sum().backward()
    return {
        "batch": batch, "globals": globals_, "length": text, "window": window,
        "mask": gf.tensor((mask >= 0).long()), "output": gf.tensor(output * counts, 7),
        "qkv_gradient": gf.tensor(qkv.grad, 7),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    gf.write_golden("longformer_attention", "longformer_attention.py", ("transformers",),
        "LongformerSelfAttention, global projections the same as the others, gradients by autograd", "float64", {
            "heads": H, "head_size": D,
            "inputs": "qkv [B, N, 3, H, d] = 4 * closed form of 'longformer_attention.qkv'; upstream [B, N, H, d] = closed form of "
                      "'longformer_attention.upstream', at visible positions; globals first",
            "cases": {
                "window_2": case(1, 1, 19, 2),
                "window_4_two_globals": case(1, 2, 22, 4),
                "window_3_padded": case(2, 1, 23, 3, padded=5),
                "window_over_text": case(1, 1, 15, 8),
            },
        })
