"""The papers' models. Each is a `torch.nn.Module` with `infer`, `loss` and `sample`.

Those of scenes also `redraw`, those with boxes `detect`. GNM and DooD have their parts by name, `prior` and `render`.

A model knows no device, no file and no step: what changes during training (temperature, weights of the KLs) reaches
`loss` as a NamedTuple of tensors, its `Weights`.
"""
