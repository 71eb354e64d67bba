"""Writes lsg_<architecture>.json and lsg_convert_options.json: conversions by lsg-converter and outputs of both models.

Bugs of the reference met here (lsg-converter 0.1.9):
- BARThez: the script runs the decoder's constructor again with the old config, which leaves a decoder with new random weights
  and too few positions; a reload fails. Only its encoder tables are recorded; outputs come from the encoder it wrote with the
  source's decoder and tiled positions.
- lsh draws its hyperplanes from the global generator in every call, so no model output with lsh is recorded.
- bos_pooling shows groups that hold nothing but padding, and the padded block's hidden states with it: recorded on lengths that
  are a multiple of the block size only, for `parity.bosPoolingMaskBug`.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

import golden_file as gf
import lsg_models as lm
from lsg_weights import closed_form, mask, token_ids

WORK = Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp/lsg-golden")
LSG = {"block_size": 4, "sparse_block_size": 4, "sparsity_factor": 2, "sparsity_type": "norm", "num_global_tokens": 2,
       "pool_with_global": False}
ALL_TYPES = ["none", "norm", "pooling", "stride", "block_stride", "bos_pooling"]
EXTRA = {"albert": ["pooling"], "electra": ["stride"], "distilbert": ["block_stride"], "roberta": ["bos_pooling"],
         "camembert": ["none"], "xlm-roberta": ["pooling"], "mbart": ["block_stride"], "barthez": ["stride"],
         "pegasus": ["pooling"]}
# name: length, valid tokens of each row. 2B = 8: the first is full attention. 21 is padded to 24 by the reference.
INPUTS = {"short": (7, [7, 5]), "long": (24, [24, 19]), "odd": (21, [21, 17])}
DECODER_LENGTH = 5
# Options that change what leaves the encoder: name, fields of the converted config.json.
OUTPUT_OPTIONS = {
    "bert": {"pooled": {"pool_with_global": True}, "first_hidden": {"mask_first_token": True, "pool_with_global": True}},
    "bart": {"not_passed": {"pass_global_tokens_to_decoder": False},
             "not_passed_pooled": {"pass_global_tokens_to_decoder": False, "pool_with_global": True},
             "passed_pooled": {"pool_with_global": True}},
}


def batch(name):
    length, lengths = INPUTS[name]
    ids = token_ids(2, length, lm.VOCABULARY)
    keep = mask(lengths, length)
    return torch.where(keep == 1, ids, torch.ones_like(ids)), keep


def run(kind, model, name):
    """Encoder output (text rows), and for sequence-to-sequence models the logits of a few decoder tokens."""
    ids, keep = batch(name)
    with torch.no_grad():
        if kind not in lm.IS_SEQ2SEQ:
            base = getattr(model, model.base_model_prefix)
            return {"output": gf.tensor(base(input_ids=ids, attention_mask=keep)[0], 7)}
        decoder_ids = token_ids(2, DECODER_LENGTH, lm.VOCABULARY, first=7)
        result = model(input_ids=ids, attention_mask=keep.clone(), decoder_input_ids=decoder_ids)
        # The reference keeps the globals in front, for the decoder.
        passed = getattr(model.config, "pass_global_tokens_to_decoder", False)
        first = model.config.num_global_tokens if passed else 0
        hidden = result.encoder_last_hidden_state[:, first:first + ids.shape[1]]
        return {"output": gf.tensor(hidden, 7), "logits": gf.tensor(result.logits, 7)}


def repair_barthez(source, target):
    """Puts the source's decoder back (see above)."""
    before, after = (load_file(f / "model.safetensors") for f in (source, target))
    for name, values in before.items():
        if name.startswith("model.decoder.") or name not in after:
            after[name] = values
    # The new decoder's own token table, which would take the place of the shared one on loading.
    del after["model.decoder.embed_tokens.weight"]
    positions = before["model.decoder.embed_positions.weight"]
    after["model.decoder.embed_positions.weight"] = torch.cat([positions[:2], positions[2:], positions[2:]])
    save_file(after, target / "model.safetensors", {"format": "pt"})


def case(kind):
    source = lm.write_source(kind, WORK / kind)
    target = lm.convert(kind, source, WORK / f"{kind}-lsg", LSG)
    stored = {name: list(v.shape) for name, v in load_file(source / "model.safetensors").items()}
    tables, dropped = lm.changed_tables(source, target, ".encoder." if kind == "barthez" else "")
    if kind == "barthez":
        repair_barthez(source, target)
    model_class = getattr(__import__("transformers"), lm.SOURCES[kind][1])
    original = model_class.from_pretrained(source).double().eval()
    torch.set_default_dtype(torch.float64)  # masks are made in the default type
    outputs = {"source": {name: run(kind, original, name) for name in INPUTS}, "converted": {}}
    script = lm._AUTH_MODELS[kind]
    lsg_class = script._ARCHITECTURE_TYPE_DICT[lm.SOURCES[kind][1]][1]
    types = ALL_TYPES if kind in ("bert", "bart") else ["norm"] + EXTRA[kind]
    for sparsity in types:
        config = script._CONFIG_MODULE.from_pretrained(target, sparsity_type=sparsity)
        model = lsg_class.from_pretrained(target, config=config).double().eval()
        names = [n for n in INPUTS if (n == "long" or (n == "short" and sparsity == "norm") or
                                       (n == "odd" and sparsity != "bos_pooling" and kind in ("bert", "bart") or
                                        n == "odd" and sparsity == "norm"))]
        outputs["converted"][sparsity] = {name: run(kind, model, name) for name in names}
    for option, fields in OUTPUT_OPTIONS.get(kind, {}).items():
        config = script._CONFIG_MODULE.from_pretrained(target, **fields)
        model = lsg_class.from_pretrained(target, config=config).double().eval()
        found = {name: run(kind, model, name) for name in ("short", "long")}
        outputs.setdefault("options", {})[option] = {"set": fields, "outputs": found}
    torch.set_default_dtype(torch.float32)
    return {
        "architecture": lm.SOURCES[kind][1], "config": lm.read_json(source / "config.json"), "tensors": stored,
        "tokenizer": lm.read_json(source / "tokenizer_config.json"),
        "lsg": LSG, "converted_config": lm.plain_config(target), "tables": tables, "dropped": dropped,
        "converted_max_length": lm.read_json(target / "tokenizer_config.json")["model_max_length"],
        "outputs": outputs,
    }


def option_case(kind, name, changes=None, first=None, **options):
    """Tables alone, after one option; `first` are the options of a conversion whose result is the source."""
    source = lm.write_source(kind, WORK / f"{kind}-{name}", **(changes or {}))
    if first is not None:
        source = lm.convert(kind, source, WORK / f"{kind}-{name}-first", LSG, **first)
    target = lm.convert(kind, source, WORK / f"{kind}-{name}-lsg", LSG, **options)
    tables, _ = lm.changed_tables(source, target)
    if options.get("random_global_init"):  # only row 0 does not depend on torch's generator
        tables = {k: {"shape": t["shape"], "rows": {"0": t["rows"]["0"]}} for k, t in tables.items() if "global" in k}
    return {"architecture": kind, "changes": changes or {}, "first": first, "options": options, "tables": tables,
            "config": lm.plain_config(WORK / f"{kind}-{name}"),
            "tensors": {n: list(v.shape) for n, v in load_file(WORK / f"{kind}-{name}" / "model.safetensors").items()},
            "converted_config": lm.plain_config(target)}


def option_cases():
    two = {"max_position_embeddings": 1024}
    return {
        "stride_1": option_case("bert", "s1", global_positional_stride=1),
        "stride_512": option_case("bert", "s512", global_positional_stride=512),
        "stride_128_positions_1024": option_case("bert", "s128", two, global_positional_stride=128),
        "positions_700": option_case("bert", "p700", {"max_position_embeddings": 700}),
        "no_token_ids": option_case("bert", "types", use_token_ids=False),
        "shorter": option_case("bert", "short", max_sequence_length=100),
        "not_a_multiple": option_case("roberta", "odd", max_sequence_length=1500),
        "tile_short": option_case("roberta", "tile", max_sequence_length=513),
        "tile_short_bart": option_case("bart", "tile", max_sequence_length=513),
        "keep_first": option_case("bert", "keep", first={}, keep_first_global_token=True, max_sequence_length=2048,
                                  global_positional_stride=32),
        "convert_again": option_case("electra", "again", first={"max_sequence_length": 512},
                                     global_positional_stride=32, max_sequence_length=2048),
        "resize": option_case("roberta", "resize", first={}, resize_lsg=True, max_sequence_length=2048),
        "random_bert": option_case("bert", "random", random_global_init=True),
        "random_roberta": option_case("roberta", "random", random_global_init=True),
        "base_model": base_case(),
    }


def base_case():
    """A source whose keys have no prefix."""
    source = lm.write_source("bert", WORK / "bert-base")
    path = source / "model.safetensors"
    shapes = {n[5:]: v.shape for n, v in load_file(path).items() if n.startswith("bert.")}
    save_file({n: closed_form(n, s) for n, s in shapes.items()}, path, {"format": "pt"})
    config = AutoConfig.from_pretrained(source)
    config.architectures = ["BertModel"]
    config.save_pretrained(source)
    target = lm.convert("bert", source, WORK / "bert-base-lsg", LSG)
    return {"architecture": "bert", "changes": {}, "first": None, "options": {}, "tables": lm.changed_tables(source, target)[0],
            "config": lm.plain_config(source), "tensors": {n: list(s) for n, s in shapes.items()},
            "converted_config": lm.plain_config(target)}


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    packages = ("transformers", "lsg-converter", "tokenizers", "safetensors")
    source = "lsg-converter's conversion scripts and models; sources by transformers; outputs in evaluation mode"
    inputs = {name: {"ids": gf.tensor(batch(name)[0]), "mask": gf.tensor(batch(name)[1])} for name in INPUTS}
    decoder_ids = gf.tensor(token_ids(2, DECODER_LENGTH, lm.VOCABULARY, first=7))
    for kind in lm.SOURCES:
        body = {"inputs": inputs, **({"decoder_ids": decoder_ids} if kind in lm.IS_SEQ2SEQ else {}), **case(kind)}
        gf.write_golden(f"lsg_{kind.replace('-', '_')}", "lsg_convert.py", packages, source,
                        "tables float32, outputs float64", body)
    gf.write_golden("lsg_convert_options", "lsg_convert.py", packages, source, "float32", {"cases": option_cases()})
