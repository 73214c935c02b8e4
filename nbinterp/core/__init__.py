"""What travels between the parts: checks, batches, tables, results, files, cache.  No science.

Everything here may be imported by every folder, and imports none of them.  Sequences are one-hot ``(N, 4, L)`` tensors
or compact containers that become such tensors a batch at a time; tables are pandas frames held to a schema; results are
frozen.
"""
