"""Tiny source checkpoints of the 11 architectures, their conversion by lsg-converter, and what the tests need of both."""

import hashlib
import json
import shutil
import warnings
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

import golden_file as gf
from lsg_converter.converter import _AUTH_MODELS
from lsg_weights import closed_form

VOCABULARY = 40
POSITIONS = 512
DEFAULTS = {
    "max_sequence_length": 1024, "architecture": None, "random_global_init": False,
    "global_positional_stride": 64, "keep_first_global_token": False, "resize_lsg": False,
    "use_token_ids": True, "use_auth_token": False, "seed": 123,
}
ENCODER = {
    "vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 24, "type_vocab_size": 2, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
}
SEQ2SEQ = {
    "vocab_size": VOCABULARY, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "pad_token_id": 1, "bos_token_id": 0,
    "eos_token_id": 2, "max_position_embeddings": POSITIONS,
}
# Reference's key, config class, model class, config fields.
SOURCES = {
    "albert": ("AlbertConfig", "AlbertForPreTraining",
               {**ENCODER, "embedding_size": 8, "num_hidden_groups": 1, "inner_group_num": 1, "hidden_act": "gelu_new",
                "layer_norm_eps": 1e-12, "max_position_embeddings": POSITIONS}),
    "bert": ("BertConfig", "BertForPreTraining", {**ENCODER, "max_position_embeddings": POSITIONS}),
    "electra": ("ElectraConfig", "ElectraForPreTraining",
                {**ENCODER, "embedding_size": 8, "max_position_embeddings": POSITIONS}),
    "distilbert": ("DistilBertConfig", "DistilBertForMaskedLM",
                   {"vocab_size": VOCABULARY, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24,
                    "max_position_embeddings": POSITIONS, "pad_token_id": 1}),
    "roberta": ("RobertaConfig", "RobertaForMaskedLM",
                {**ENCODER, "type_vocab_size": 1, "max_position_embeddings": POSITIONS + 2, "layer_norm_eps": 1e-5}),
    "camembert": ("CamembertConfig", "CamembertForMaskedLM",
                  {**ENCODER, "type_vocab_size": 1, "max_position_embeddings": POSITIONS + 2, "layer_norm_eps": 1e-5}),
    "xlm-roberta": ("XLMRobertaConfig", "XLMRobertaForMaskedLM",
                    {**ENCODER, "type_vocab_size": 1, "max_position_embeddings": POSITIONS + 2,
                     "layer_norm_eps": 1e-5}),
    "bart": ("BartConfig", "BartForConditionalGeneration", {**SEQ2SEQ, "decoder_start_token_id": 2}),
    "mbart": ("MBartConfig", "MBartForConditionalGeneration", {**SEQ2SEQ, "scale_embedding": True}),
    "barthez": ("MBartConfig", "MBartForConditionalGeneration", {**SEQ2SEQ, "scale_embedding": False}),
    "pegasus": ("PegasusConfig", "PegasusForConditionalGeneration",
                {**SEQ2SEQ, "scale_embedding": True, "decoder_start_token_id": 1, "activation_function": "relu"}),
}
IS_SEQ2SEQ = ("bart", "mbart", "barthez", "pegasus")


def write_tokenizer(folder, kind):
    """Word-level: 0 bos, 1 pad, 2 eos, 3 unknown, 4 mask. Pegasus has neither bos nor cls, as the published one."""
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] + [f"w{i}" for i in range(VOCABULARY - 5)]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    first = {"pegasus": {}, "bert": {"cls_token": "<s>"}}.get(kind, {"bos_token": "<s>"})
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", mask_token="<mask>",
                            eos_token="</s>", model_max_length=POSITIONS, **first).save_pretrained(folder)


def write_source(kind, folder, **changes):
    """A checkpoint folder whose every stored weight has the closed form; Pegasus keeps its sinusoidal positions."""
    shutil.rmtree(folder, ignore_errors=True)
    config_class, model_class, fields = SOURCES[kind]
    config = getattr(transformers, config_class)(**{**fields, **changes})
    model = getattr(transformers, model_class)(config)
    model.save_pretrained(folder)
    write_tokenizer(folder, kind)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for name, values in tensors.items():
        if not (kind == "pegasus" and "embed_positions" in name):
            tensors[name] = closed_form(name, values.shape)
    save_file(tensors, path, {"format": "pt"})
    return folder


def convert(kind, source, target, lsg=None, **options):
    """Runs the reference's conversion script of that type and saves its result."""
    shutil.rmtree(target, ignore_errors=True)
    config = transformers.AutoConfig.from_pretrained(source)
    settings = {**DEFAULTS, **options}
    transformers.set_seed(settings["seed"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = _AUTH_MODELS[kind](initial_model=str(source), model_name=str(target), config=config, save_model=True,
                                    model_kwargs=json.dumps(lsg or {}), **settings)
        script.process()
    return target


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256(values):
    """Of the little-endian float32 bytes."""
    return hashlib.sha256(values.contiguous().numpy().tobytes()).hexdigest()


def table(values):
    """Shape, checksum and two rows to look at when the checksum differs."""
    rows = sorted({0, 1, min(9, len(values) - 1), len(values) - 1})
    return {"shape": list(values.shape), "sha256": sha256(values),
            "rows": {str(r): [gf.number(str(v)) for v in values[r].numpy()] for r in rows}}


def changed_tables(source, target, only=""):
    """Tables that the conversion added or changed, by key; keys that it dropped."""
    before, after = (load_file(f / "model.safetensors") for f in (source, target))
    after = {name: values for name, values in after.items() if only in name}
    before = {name: values for name, values in before.items() if only in name}
    changed = {name: table(values) for name, values in after.items()
               if name not in before or not torch.equal(before[name], values)}
    return changed, sorted(set(before) - set(after))


def plain_config(folder):
    """config.json without what only says who wrote it."""
    config = read_json(folder / "config.json")
    return {k: v for k, v in config.items() if k not in ("transformers_version", "_name_or_path", "_commit_hash")}
