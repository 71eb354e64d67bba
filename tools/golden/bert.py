"""Writes bert.json: tiny random BERT and DistilBERT with both heads, attention maps, loss and gradient norm."""

import torch
from transformers import (BertConfig, BertForMaskedLM, BertForSequenceClassification, DistilBertConfig,
                          DistilBertForMaskedLM, DistilBertForSequenceClassification)

import golden_file as gf

B, T, CLASSES = 2, 9, 3
BERT = {
    "vocab_size": 23, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 24, "max_position_embeddings": 12, "type_vocab_size": 2,
    "hidden_act": "gelu", "layer_norm_eps": 1e-12, "model_type": "bert",
}
DISTILBERT = {
    "vocab_size": 23, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24,
    "max_position_embeddings": 12, "activation": "gelu", "model_type": "distilbert",
}


def fill(model, seed):
    """Short random decimals in every parameter; norms around 1."""
    generator = gf.seeded(seed)
    weights = {}
    for name, p in model.named_parameters():
        norm = "norm" in name.lower() and name.endswith("weight")
        weights[name] = gf.short_normal(generator, tuple(p.shape), 0.2, 1.0 if norm else 0.0, decimals=2)
        with torch.no_grad():
            p.copy_(weights[name])
    return {n: gf.exact_tensor(w) for n, w in weights.items()}


def build(kind, config, library_config):
    dropout = ({"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
               if kind == "bert" else {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0})
    fields = {k: v for k, v in config.items() if k != "model_type"}
    return library_config(**fields, **dropout, num_labels=CLASSES, pad_token_id=0,
                          attn_implementation="eager")


def case(kind, config, library_config, classifier_class, masked_class, seed):
    cfg = build(kind, config, library_config)
    generator = gf.seeded(seed)
    ids = torch.randint(1, 23, (B, T), generator=generator)
    mask = torch.ones(B, T, dtype=torch.long)
    mask[1, 6:] = 0
    types = torch.zeros(B, T, dtype=torch.long)
    types[:, 4:] = 1
    labels = torch.tensor([2, 0])
    inputs = {"input_ids": ids, "attention_mask": mask}
    if kind == "bert":
        inputs["token_type_ids"] = types
    classifier = classifier_class(cfg).double().eval()
    weights = fill(classifier, seed + 1)
    output = classifier(**inputs, labels=labels, output_attentions=True)
    output.loss.backward()
    norm = sum(float(p.grad.pow(2).sum()) for p in classifier.parameters() if p.grad is not None) ** 0.5
    masked = masked_class(cfg).double().eval()
    masked_weights = fill(masked, seed + 2)
    masked_labels = torch.full((B, T), -100)
    masked_labels[0, 3], masked_labels[1, 2] = ids[0, 3], ids[1, 2]
    masked_output = masked(**inputs, labels=masked_labels)
    return {
        "config": config, "ids": gf.tensor(ids), "mask": gf.tensor(mask), "types": gf.tensor(types),
        "labels": gf.tensor(labels), "weights": weights, "logits": gf.tensor(output.logits, 8),
        "loss": gf.number(output.loss.detach()), "gradient_norm": gf.number(norm),
        "attentions": [gf.tensor(a, 7) for a in output.attentions],
        "masked_weights": masked_weights, "masked_logits": gf.tensor(masked_output.logits, 7),
        "masked_loss": gf.number(masked_output.loss.detach()),
    }


if __name__ == "__main__":
    gf.write_golden("bert", "bert.py", ("transformers",),
        "transformers BERT and DistilBERT, random weights, evaluation mode, eager attention, float64", "float64", {
            "linear_layout": "nn.Linear: weight is [out, in], y = x @ weight.T + bias",
            "bert": case("bert", BERT, BertConfig, BertForSequenceClassification, BertForMaskedLM, 101),
            "distilbert": case("distilbert", DISTILBERT, DistilBertConfig,
                               DistilBertForSequenceClassification, DistilBertForMaskedLM, 201),
        })
