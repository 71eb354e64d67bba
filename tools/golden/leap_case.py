"""Shared by the LEAP generators: seeded parameters and the encoded result of one model run."""

import torch

import golden_file as gf
import leap_reference as ref

WEIGHT_STD = 0.2  # larger than the real initialisation, so that mistakes show in the logits


def seeded_parameters(config, seed):
    """Float32 parameters with three decimals; norms scatter around 1, biases around 0."""
    generator = gf.seeded(seed)
    parameters = {}
    for name, shape in ref.parameter_shapes(config).items():
        mean = 1.0 if name.endswith("norm.weight") else 0.0
        parameters[name] = gf.short_normal(generator, shape, WEIGHT_STD, mean)
    return parameters


def seeded_ids(config, B, T, seed):
    return torch.randint(0, config["vocab_size"], (B, T), generator=gf.seeded(seed))


def run_reference(config, parameters, ids, attention_mask, dtype):
    """Forward and backward of the plain torch model; returns logits, hidden, loss, gradients."""
    leaves = {n: p.to(dtype).clone().requires_grad_() for n, p in parameters.items()}
    logits, hidden = ref.forward(config, leaves, ids, attention_mask)
    loss = ref.loss_of(logits, ids, attention_mask)
    loss.backward()
    return logits, hidden, loss, {n: p.grad for n, p in leaves.items()}


def encode_result(logits, hidden, loss, gradients, full_limit, digits=8):
    """hidden_states: the embedding sum, then the residual stream after each block."""
    squares = sum(float(g.double().pow(2).sum()) for g in gradients.values())
    return {
        "logits": gf.tensor(logits, digits),
        "loss": gf.number(loss.detach()),
        "hidden_states": [gf.tensor(h, 7) for h in hidden],
        "gradient_norm": gf.number(squares**0.5),
        "gradients": {n: gf.gradient(g, full_limit, digits=digits) for n, g in gradients.items()},
    }


def encode_inputs(config, parameters, ids, attention_mask, source_names=None):
    body = {"config": config}
    if source_names is not None:
        body["source_names"] = source_names
    body["weights"] = {n: gf.exact_tensor(p) for n, p in parameters.items()}
    body["ids"] = gf.tensor(ids)
    if attention_mask is not None:
        body["attention_mask"] = gf.tensor(attention_mask)
    return body


def largest_difference(a, b):
    return float((a.detach().double() - b.detach().double()).abs().max())
