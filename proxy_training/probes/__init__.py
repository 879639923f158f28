"""Probes: what a trainer measures inside the model for policies that need more than training losses.

Every probe takes tensors that a trainer has, and gives a measurement of `mixlaws.feedback` or
`mixlaws.measurements`; `reporting` turns these into what `mixclient` sends. None of them steps an optimiser.

    losses          losses, their squares, tokens and sequences by domain   the step's own losses
    excess          losses in excess of a reference model's                 a forward pass of the reference
    held_out        losses on windows that stay the same                    a forward pass
    layer           exact gradients of one linear layer by domain           the step's own backward pass
    noise           squared norms and variances of gradients                the same
    micro_batches   sketched gradients of single-domain micro-batches       the step's own backward passes
    direction       derivatives of losses along a direction                 two forward passes, or one dual
    influence       what training on domains does to targets                d + t gradients, and factors
    loads           tokens of every expert of the last layer of them        the step's own forward pass

Axis letters: B samples, T tokens of a sample, d domains, t targets, m coordinates of a gradient.

Where `torch.distributed` is initialised, what is returned is of all ranks, and every rank must call. Sums and
counts are added, in float64; means are taken afterwards.
"""
