"""The papers' models. Each is a `torch.nn.Module` with `infer`, `prior`, `render`, `loss` and `sample`.

A model knows no device, no file and no step: what changes during training (temperature, weights of the KLs) reaches
`loss` as a NamedTuple of tensors, its `Weights`.
"""
