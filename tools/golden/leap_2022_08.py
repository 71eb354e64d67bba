"""Writes leap_2022_08.json: variant `2022-08` in plain torch from the specification text."""

import torch

import golden_file as gf
import leap_case as case

B, T = 2, 19


def base_config(hidden_size, n_layer, windows, given):
    return {
        "variant": "2022-08", "hidden_size": hidden_size, "vocab_size": 37, "n_positions": 24,
        "n_layer": n_layer, "n_heads": 2, "use_local_att": True, "window_sizes": windows,
        "window_sizes_given": given, "rescale_value": 8, "mask_value": -10000,
        "hidden_dropout_prob": 0, "layer_norm_epsilon": 1e-5,
    }


def default_windows(n_layer, n_positions):
    return [4 * 2**i for i in range(n_layer - 1)] + [n_positions]


def model_case(config, seed, full_limit, attention_mask=None):
    parameters = case.seeded_parameters(config, seed)
    ids = case.seeded_ids(config, B, T, seed + 1)
    double = case.run_reference(config, parameters, ids, attention_mask, torch.float64)
    single = case.run_reference(config, parameters, ids, attention_mask, torch.float32)
    body = case.encode_inputs(config, parameters, ids, attention_mask)
    body.update(case.encode_result(*double, full_limit))
    body["float32"] = {
        "loss": gf.number(single[2].detach()),
        "logits": gf.tensor(single[0], 8),
        "largest_difference_from_float64": {
            "logits": gf.number(case.largest_difference(single[0], double[0]), 3),
            "gradients": gf.number(
                max(case.largest_difference(single[3][n], double[3][n]) for n in double[3]), 3),
        },
    }
    return body


if __name__ == "__main__":
    # Three padded tokens, fewer than the smallest window: a window holding only masked tokens has
    # weight sum 0 and this variant divides by it without an epsilon.
    mask = torch.ones(B, T, dtype=torch.long)
    mask[1, -3:] = 0
    gf.write_golden("leap_2022_08", "leap_2022_08.py", (),
        "Plain torch from the specification text of variant 2022-08", "float64", {
            "variant": "2022-08",
            "cases": {
                "explicit_windows": model_case(base_config(16, 3, [3, 24, 5], True), 61, 300),
                "default_windows_padded":
                    model_case(base_config(8, 4, default_windows(4, 24), False), 71, 200, mask),
            }})
