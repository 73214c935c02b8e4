"""The mechanisms by which sequences around one reference give their predictions.

In: a model and a reference.  A library of variants is made, predicted and attributed; its maps are clustered, and the
clusters are read as mechanisms: which sites are used together, and what each and each combination adds.
Sources: SQUID (Seitz et al., Nature Machine Intelligence 2024) and SEAM (Seitz et al. 2025).
"""
