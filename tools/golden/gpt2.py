"""Writes gpt2.json: a tiny random GPT2LMHeadModel with loss, gradients and greedy generation."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel

import golden_file as gf

B, T, PROMPT, NEW_TOKENS = 2, 19, 6, 8
CONFIG = {
    "vocab_size": 41, "n_positions": 32, "n_embd": 32, "n_layer": 3, "n_head": 2,
    "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "attn_pdrop": 0.0,
    "embd_pdrop": 0.0, "resid_pdrop": 0.0, "initializer_range": 0.02, "tie_word_embeddings": True,
}


def build(weights=None):
    model = GPT2LMHeadModel(GPT2Config(**CONFIG, bos_token_id=0, eos_token_id=0,
                                       attn_implementation="eager")).double().eval()
    own = dict(model.named_parameters())
    if weights is None:
        generator = gf.seeded(81)
        weights = {}
        for name, p in own.items():
            mean = 1.0 if ".ln_" in name and name.endswith("weight") else 0.0
            weights[name] = gf.short_normal(generator, tuple(p.shape), 0.15, mean, decimals=2)
    with torch.no_grad():
        for name, p in own.items():
            p.copy_(weights[name])
    return model, weights


def greedy_with_cache(model, prompt):
    """Greedy tokens one at a time through the KV cache; checked against the full forward."""
    cache, step_input, tokens, step_logits = None, prompt, prompt, []
    with torch.no_grad():
        for _ in range(NEW_TOKENS):
            output = model(step_input, past_key_values=cache, use_cache=True)
            cache, last = output.past_key_values, output.logits[:, -1]
            full = model(tokens, use_cache=False).logits[:, -1]
            assert (full - last).abs().max() < 1e-10, "cached logits differ from the full forward"
            step_logits.append(last)
            step_input = last.argmax(-1, keepdim=True)
            tokens = torch.cat([tokens, step_input], dim=1)
    return tokens, torch.stack(step_logits, dim=1)


if __name__ == "__main__":
    model, weights = build()
    ids = torch.randint(0, CONFIG["vocab_size"], (B, T), generator=gf.seeded(82))
    output = model(ids, labels=ids.clone(), output_hidden_states=True)
    output.loss.backward()
    gradients = {n: p.grad for n, p in model.named_parameters()}
    tokens, step_logits = greedy_with_cache(model, ids[:, :PROMPT])
    gf.write_golden("gpt2", "gpt2.py", ("transformers",),
        "transformers GPT2LMHeadModel, random weights, evaluation mode, eager attention, float64", "float64", {
            "config": CONFIG,
            "linear_layout": "Conv1D: weight is [in, out], y = x @ weight + bias",
            "weights": {n: gf.exact_tensor(w) for n, w in weights.items()},
            "ids": gf.tensor(ids),
            "logits": gf.tensor(output.logits, 7),
            "loss": gf.number(output.loss.detach()),
            # Row 0 of the batch: embedding sum, after block 0, after block 1, after final LayerNorm.
            "hidden_states_row_0": [gf.tensor(h[0], 7) for h in output.hidden_states],
            "gradient_norm": gf.number(sum(float(g.pow(2).sum()) for g in gradients.values()) ** 0.5),
            "gradients": {n: gf.gradient(g, 150, samples=61, digits=7) for n, g in gradients.items()},
            "generation": {
                "prompt_length": PROMPT, "new_tokens": NEW_TOKENS, "tokens": gf.tensor(tokens),
                "step_logits": gf.tensor(step_logits, 7),
                "smallest_top_two_gap": gf.number(
                    (lambda t: (t[..., 0] - t[..., 1]).min())(step_logits.topk(2).values)),
            },
        })
