"""Writes leap_1_0.json (published package 1.0.1) and leap_1_0_spec.json (`1.0` as specified)."""

import warnings

import leap
import torch

import golden_file as gf
import leap_case as case

B, T = 2, 19
TOLERANCE = 1e-9  # package in float64 against the plain torch model in float64


def source_names(config):
    names = {
        "token_embedding.weight": "word_embedding.weight",
        "position_embedding.weight": "leap_model.position_embeddings.weight",
        "final_norm.weight": "last_norm.weight",
        "final_norm.bias": "last_norm.bias",
    }
    inner = {
        "attention_norm.weight": "attn_norm.weight",
        "attention_norm.bias": "attn_norm.bias",
        "projection.weight": "projections.weight",
        "mlp_norm.weight": "boom_norm.weight",
        "mlp_norm.bias": "boom_norm.bias",
        "mlp_in.weight": "boom.weight",
        "mlp_in.bias": "boom.bias",
        "mlp_out.weight": "unboom.weight",
        "mlp_out.bias": "unboom.bias",
    }
    for i in range(config["n_layer"]):
        for ours, theirs in inner.items():
            names[f"blocks.{i}.{ours}"] = f"leap_model.decoders.{i}.{theirs}"
    return names


def base_config(hidden_size, n_layer, windows, rescale):
    return {
        "variant": "1.0.1", "hidden_size": hidden_size, "vocab_size": 37, "n_positions": 24,
        "n_layer": n_layer, "n_heads": 2, "use_local_att": True, "window_sizes": windows,
        "window_sizes_given": windows is not None, "rescale_value": rescale, "mask_value": -100,
        "hidden_dropout_prob": 0, "layer_norm_epsilon": 1e-5,
    }


def package_model(config):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tiny heads: the package warns below a head width of 32
        return leap.LeapForCausalLM(leap.LeapConfig(
            hidden_size=config["hidden_size"], vocab_size=config["vocab_size"], n_head=config["n_heads"],
            window_sizes=config["window_sizes"], n_positions=config["n_positions"],
            n_layer=config["n_layer"], rescale=config["rescale_value"], hidden_dropout_prob=0.0)).eval()


def run_package(model, parameters, names, ids, attention_mask):
    """Loads the parameters, runs forward and backward; returns logits, hidden, loss, gradients."""
    own = dict(model.named_parameters())
    assert set(names.values()) == set(own), "parameter names of the package changed"
    with torch.no_grad():
        for ours, theirs in names.items():
            own[theirs].copy_(parameters[ours])
    hidden = []
    keep = lambda module, inputs, output: hidden.append(output)
    decoder = model.leap_model
    for module in [decoder.dropout, *decoder.decoders]:
        module.register_forward_hook(keep)
    output = model(ids, attention_mask=attention_mask, labels=ids.clone())
    output.loss.backward()
    gradients = {ours: own[theirs].grad for ours, theirs in names.items()}
    return output.logits, hidden, output.loss, gradients


def differences(a, b):
    """Largest absolute differences of two runs."""
    return {
        "logits": case.largest_difference(a[0], b[0]),
        "loss": case.largest_difference(a[2], b[2]),
        "gradients": max(case.largest_difference(a[3][n], b[3][n]) for n in a[3]),
    }


def package_case(config, seed, full_limit, attention_mask=None):
    double_model = package_model(config).double()
    config["window_sizes"] = list(double_model.config.window_sizes)
    config["package_initializer_range"] = gf.number(double_model.config.initializer_range)
    parameters = case.seeded_parameters(config, seed)
    ids = case.seeded_ids(config, B, T, seed + 1)
    names = source_names(config)
    double = run_package(double_model, parameters, names, ids, attention_mask)
    single = run_package(package_model(config), parameters, names, ids, attention_mask)
    plain = case.run_reference(config, parameters, ids, attention_mask, torch.float64)
    against_plain = differences(plain, double)
    assert max(against_plain.values()) < TOLERANCE, against_plain

    body = case.encode_inputs(config, parameters, ids, attention_mask, names)
    body.update(case.encode_result(*double, full_limit, digits=7))
    body["float32"] = {
        "loss": gf.number(single[2].detach()),
        "largest_difference_from_float64": {
            k: gf.number(v, 3) for k, v in differences(single, double).items()},
    }
    return body


def spec_case(config, seed, full_limit, attention_mask=None):
    parameters = case.seeded_parameters(config, seed)
    ids = case.seeded_ids(config, B, T, seed + 1)
    result = case.run_reference(config, parameters, ids, attention_mask, torch.float64)
    body = case.encode_inputs(config, parameters, ids, attention_mask)
    body.update(case.encode_result(*result, full_limit))
    return body


def right_padded():
    mask = torch.ones(B, T, dtype=torch.long)
    mask[1, -6:] = 0
    return mask


if __name__ == "__main__":
    gf.write_golden("leap_1_0", "leap_1_0.py", ("leap-transformer", "transformers"),
        "PyPI leap-transformer 1.0.1, LeapForCausalLM, evaluation mode, module converted to float64", "float64", {
            "variant": "1.0.1",
            "package_defaults": {"rescale": 10, "initializer_range": "1/sqrt(hidden_size)",
                                 "hidden_size": 256, "n_head": 4, "n_positions": 1024, "n_layer": 4},
            "cases": {
                "explicit_windows": package_case(base_config(16, 3, [3, 24, 5], 10), 11, 300),
                "default_windows_padded": package_case(base_config(8, 5, None, 10), 21, 64, right_padded()),
                "no_rescale": package_case(base_config(8, 2, [24, 4], None), 31, 300),
            }})
    explicit = {**base_config(8, 3, [3, 24, 5], None), "variant": "1.0"}
    padded = {**base_config(8, 2, [24, 4], None), "variant": "1.0"}
    gf.write_golden("leap_1_0_spec", "leap_1_0.py", (),
        "Plain torch from the specification text of variant 1.0 (weight elu(l) + 1); no published code "
        "with this weight was found", "float64", {
            "variant": "1.0",
            "cases": {"explicit_windows": spec_case(explicit, 41, 1000),
                      "padded": spec_case(padded, 51, 1000, right_padded())}})
