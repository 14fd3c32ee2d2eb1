"""Chapter 9."""


def parameters(config):
    V, T, C = config.vocab_size, config.block_size, config.n_embd
    attention = 4 * C * C + C
    feed_forward = 8 * C * C + 5 * C
    block = attention + feed_forward + 4 * C
    return V * C + T * C + config.n_layer * block + 2 * C + C * V + V


def matrices_alone(config):
    V, T, C = config.vocab_size, config.block_size, config.n_embd
    return V * C + T * C + config.n_layer * 12 * C * C + 2 * C + C * V + V


def heads_add(config):
    return parameters(config) + (config.n_head - 1) * 3 * config.n_embd**2


def tied(config):
    return parameters(config) - config.n_embd * config.vocab_size


def no_positions(config):
    return parameters(config) - config.block_size * config.n_embd


def no_final_norm(config):
    return parameters(config) - 2 * config.n_embd


def as_if_twelve_wide(config):
    return parameters(config) - 12 * config.n_embd**2 + 12 * 12 * config.n_embd


def schedule(step, steps, warmup, final):
    if step < warmup:
        return (step + 1) / warmup
    return 1 - (1 - final) * (step - warmup) / (steps - warmup)


def from_zero(step, steps, warmup, final):
    return step / warmup if step < warmup else schedule(step, steps, warmup, final)


def no_warmup(step, steps, warmup, final):
    return schedule(step, steps, 0, final)


def to_zero(step, steps, warmup, final):
    return schedule(step, steps, warmup, 0)


def flat(step, steps, warmup, final):
    return min(1, (step + 1) / max(1, warmup))


def never_without(step, steps, warmup, final):
    return schedule(step, steps, warmup, final) if warmup else 0.1


def from_the_start(step, steps, warmup, final):
    return schedule(step, steps, warmup, final) if step < warmup else 1 - step / steps * (1 - final)


RIGHT = {"9.1": parameters, "9.2": schedule}
WRONG = [
    ("9.1", matrices_alone, "one more block adds 1,728 parameters; it should add 1,848"),
    ("9.1", heads_add, "with twice as many heads it counts +1,296 parameters"),
    ("9.1", tied, "one more character adds 13 parameters; it should add 25"),
    ("9.1", no_positions, "one more place in the window adds 0 parameters; it should add 12"),
    ("9.1", no_final_norm, "what stands outside the blocks"),
    ("9.1", as_if_twelve_wide, "with n_embd=24 it counts"),
    ("9.2", from_zero, "the first step moves nothing"),
    ("9.2", no_warmup, "the share of step 0 is 1.000; it should be 0.100"),
    ("9.2", to_zero, "the share of step 55 is 0.500; it should be 0.550"),
    ("9.2", flat, "the share of step 55 is 1.000"),
    ("9.2", from_the_start, "the share of step 10 is 0.910; it should be 1.000"),
    ("9.2", never_without, "without warm-up the share of step 0 is 0.100"),
]
