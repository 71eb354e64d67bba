"""Writes adamw.json: 12 AdamW steps with decay groups, clipping and a learning-rate schedule."""

import math

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

import golden_file as gf

STEPS, WARMUP, MAX_LR, MIN_LR, MAX_NORM = 12, 3, 0.01, 0.001, 1.0
BETAS, EPSILON, WEIGHT_DECAY = (0.9, 0.95), 1e-8, 0.1
SHAPES = {"matrix": (3, 4), "embedding": (5, 2), "bias": (4,), "norm": (2,)}
DECAYED = ("matrix", "embedding")


def cosine_with_floor(step):
    """Learning rate used for 0-based `step`: linear warm-up that starts above 0, cosine to MIN_LR."""
    if step < WARMUP:
        return MAX_LR * (step + 1) / WARMUP
    ratio = min(1.0, (step - WARMUP) / (STEPS - WARMUP))
    return MIN_LR + 0.5 * (1 + math.cos(math.pi * ratio)) * (MAX_LR - MIN_LR)


def step_gradients():
    """Alternates gradients whose global norm is above and below the clipping bound."""
    generator = gf.seeded(92)
    return [{n: gf.short_normal(generator, s, 1.5 if step % 2 == 0 else 0.05) for n, s in SHAPES.items()}
            for step in range(STEPS)]


def run(dtype, initial, gradients):
    parameters = {n: torch.nn.Parameter(p.to(dtype).clone()) for n, p in initial.items()}
    optimizer = torch.optim.AdamW([
        {"params": [parameters[n] for n in SHAPES if n in DECAYED], "weight_decay": WEIGHT_DECAY},
        {"params": [parameters[n] for n in SHAPES if n not in DECAYED], "weight_decay": 0.0},
    ], lr=MAX_LR, betas=BETAS, eps=EPSILON, foreach=False)
    steps = []
    for step, grads in enumerate(gradients):
        lr = cosine_with_floor(step)
        for group in optimizer.param_groups:
            group["lr"] = lr
        for name, p in parameters.items():
            p.grad = grads[name].to(dtype).clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_NORM)
        optimizer.step()
        steps.append({
            "step": step, "lr": gf.number(lr), "gradient_norm_before_clip": gf.number(norm),
            "gradients": {n: gf.exact_tensor(g) for n, g in grads.items()},
            "parameters": {n: gf.tensor(p) for n, p in parameters.items()},
        })
    moments = {n: {"exp_avg": gf.tensor(optimizer.state[p]["exp_avg"]),
                   "exp_avg_sq": gf.tensor(optimizer.state[p]["exp_avg_sq"])} for n, p in parameters.items()}
    return steps, moments


def library_schedule(make):
    """Learning rates of the first STEPS + 1 steps of a transformers schedule."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=MAX_LR)
    schedule: LambdaLR = make(optimizer)
    rates = []
    for _ in range(STEPS + 1):
        rates.append(gf.number(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return rates


if __name__ == "__main__":
    generator = gf.seeded(91)
    initial = {n: gf.short_normal(generator, s) for n, s in SHAPES.items()}
    gradients = step_gradients()
    steps, moments = run(torch.float64, initial, gradients)
    single, _ = run(torch.float32, initial, gradients)
    gf.write_golden("adamw", "adamw.py", ("transformers",),
        "torch.optim.AdamW (single-tensor form), torch.nn.utils.clip_grad_norm_, float64", "float64", {
            "config": {"betas": list(BETAS), "epsilon": EPSILON, "weight_decay": WEIGHT_DECAY,
                       "decayed": list(DECAYED), "max_gradient_norm": MAX_NORM, "max_lr": MAX_LR,
                       "min_lr": MIN_LR, "warmup_steps": WARMUP, "total_steps": STEPS},
            "initial_parameters": {n: gf.exact_tensor(p) for n, p in initial.items()},
            "steps": steps,
            "final_moments": moments,
            "final_parameters_float32": single[-1]["parameters"],
            "schedules": {
                "cosine_with_floor": [gf.number(cosine_with_floor(s)) for s in range(STEPS + 1)],
                "transformers_cosine": library_schedule(
                    lambda o: get_cosine_schedule_with_warmup(o, WARMUP, STEPS)),
                "transformers_linear": library_schedule(
                    lambda o: get_linear_schedule_with_warmup(o, WARMUP, STEPS)),
                "transformers_linear_no_warmup": library_schedule(
                    lambda o: get_linear_schedule_with_warmup(o, 0, STEPS)),
            },
        })
