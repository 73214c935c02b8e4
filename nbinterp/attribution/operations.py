"""Which function has which rule.

In: a call met by the tracer.  Out: its value, with the rule attached when references are being run.  `HANDLERS` maps
function names to what is done; `LINEAR` lists those that need nothing.  Larger functions (attention, log-sum-exp, division
by an activation) are written out in smaller ones that have rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from ..errors import ModelError, problem
from . import rules
from .convolution import conv1d
from .engine import Tensor, Tracer, depends

__all__ = ["HANDLERS", "LINEAR", "PRODUCTS"]

Handler = Callable[[Tracer, str, Any, Any, Any], Any]

_ELEMENTWISE: Final = (
    "relu relu6 rrelu selu celu gelu silu mish elu leaky_relu sigmoid tanh softplus softshrink hardshrink log_sigmoid "
    "logsigmoid prelu hardtanh hardswish hardsigmoid softsign tanhshrink threshold exp expm1 exp2 log log1p log2 log10 sqrt "
    "rsqrt square abs absolute reciprocal sin cos tan atan asinh erf erfc clamp clip clamp_min clamp_max sigmoid_ tanh_ relu_ "
    "exp_ log_ sqrt_ abs_ clamp_ elu_ leaky_relu_ selu_ celu_ hardtanh_ threshold_ rrelu_ pow __pow__ logit sinh cosh arctan"
).split()

LINEAR: Final = frozenset(
    (
        "add __add__ __radd__ add_ __iadd__ sub __sub__ __rsub__ "
        "rsub sub_ __isub__ subtract neg negative __neg__ cat concat concatenate stack hstack vstack dstack view reshape "
        "view_as reshape_as transpose permute swapaxes swapdims movedim moveaxis t flatten unflatten ravel squeeze unsqueeze "
        "squeeze_ unsqueeze_ expand expand_as repeat repeat_interleave tile broadcast_to flip roll rot90 mean sum nansum cumsum "
        "__getitem__ narrow select index_select gather take_along_dim take unbind split chunk tensor_split split_with_sizes "
        "unfold as_strided slice pad constant_pad_nd avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d "
        "identity clone contiguous to type "
        "type_as float double half bfloat16 cpu cuda detach __get__ requires_grad_ retain_grad interpolate upsample diff "
        "diagonal trace tril triu masked_fill masked_fill_ nan_to_num where einops_rearrange positive real atleast_1d "
        "atleast_2d atleast_3d fold pixel_shuffle copy_ _pad_circular"
    ).split()
)


def _elementwise(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Rescale; in-place forms write their value where the model expects it."""
    in_place = (name.endswith("_") and not name.startswith("__")) or bool(kwargs.get("inplace"))
    if kwargs.get("inplace"):
        kwargs = {**kwargs, "inplace": False}
    x, rest = args[0], args[1:]
    if name in ("relu", "relu6", "elu", "selu", "celu", "silu", "mish", "leaky_relu", "rrelu", "hardtanh") and len(
        rest
    ):
        in_place = in_place or (isinstance(rest[-1], bool) and rest[-1])
        rest = tuple(False if isinstance(one, bool) else one for one in rest)
    if not isinstance(x, Tensor) or depends(rest) or depends(kwargs.values()):
        return tracer.unknown(f"{name} with a parameter that depends on the sequence", func(*args, **kwargs))

    def apply(z: Tensor) -> Tensor:
        source = z.clone() if in_place and name.endswith("_") else z
        return func(source, *rest, **kwargs)  # type: ignore[no-any-return]

    out = _ruled_elementwise(tracer, name, apply, x)
    return x.copy_(out) if in_place else out


def _ruled_elementwise(tracer: Tracer, name: str, apply: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    value = apply(x)
    seen = tracer.meet(name, lambda: (x, value, _slope(apply, x, value)))
    if seen is None:
        return value
    assert tracer.pairing is not None
    pairing = tracer.pairing
    wide, folded, dim = pairing.spread(seen[0], x.detach())
    del folded
    views = [pairing.spread(one, x.detach())[0] for one in seen[1:]]

    def fold(ref: Tensor) -> Tensor:
        return ref if dim < 0 else pairing.fold(ref, dim)

    return rules.rescale(x, value, wide, views[0], views[1], dim, fold)


def _slope(apply: Callable[[Tensor], Tensor], x: Tensor, value: Tensor) -> Tensor:
    """Derivative at the observed row, used where a difference vanishes."""
    if value.shape != x.shape:
        raise ValueError("an elementwise function changed the shape")
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(apply(leaf).sum(), leaf)
    return slope


def _bilinear(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Products, dense layers and convolutions: linear when one side is constant, else by the midpoint."""
    if kwargs.get("out") is not None:
        return tracer.unknown(f"{name} with out=", func(*args, **kwargs))
    if name == "einsum":
        operands = args[1] if isinstance(args[1], (list, tuple)) else args[1:]
        if sum(depends([one]) for one in operands) > 2:
            return tracer.unknown("einsum of three activations", func(*args, **kwargs))
        args = (args[0], *operands)
    given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
    moving = [key for key, one in given.items() if isinstance(one, Tensor) and depends(one)]
    if len(moving) < 2:
        by_input = name == "conv1d" and not depends([given.get(1, given.get("weight"))])
        return conv1d(func, args, kwargs) if by_input else func(*args, **kwargs)
    if (name.endswith("_") and not name.startswith("__")) or name.startswith("__i"):
        return tracer.unknown(f"in-place {name} of two activations", func(*args, **kwargs))

    def op(*values: Tensor) -> Tensor:
        full = {**given, **dict(zip(moving, values, strict=True))}
        return func(*(full[i] for i in range(len(args))), **{key: full[key] for key in kwargs})  # type: ignore[no-any-return]

    refs = tuple(given[key] for key in moving)
    value = op(*refs)
    seen = tracer.meet(name, lambda: refs)
    return value if seen is None else rules.midpoint(op, tracer.paired(seen, refs), refs, value)


def _divide(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """A constant divisor is linear; an activation's is a product with its reciprocal."""
    options = dict(kwargs)
    top, bottom = args[0], args[1] if len(args) > 1 else options.pop("other")
    if options.pop("rounding_mode", None) is not None:
        return tracer.unknown(f"{name} that rounds", func(*args, **kwargs))
    if name in ("__rtruediv__", "__rdiv__"):
        top, bottom = bottom, top
    if not depends([bottom]):
        return func(*args, **kwargs)
    if options or name == "div_":
        return tracer.unknown(name, func(*args, **kwargs))
    inverse = _ruled_elementwise(tracer, "reciprocal", torch.reciprocal, bottom)
    if not depends([top]):
        return top * inverse
    return _bilinear(tracer, "mul", torch.mul, (top, inverse), {})


def _pool(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Max pooling of one or two axes, windows overlapping or not."""
    names = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    options = {**dict(zip(names, args, strict=False)), **kwargs}
    x = options.pop("input")
    if options.pop("return_indices", False):
        return tracer.unknown(f"{name} with return_indices", func(*args, **kwargs))
    axes = 1 if "1d" in name else 2
    pool = F.max_pool1d if axes == 1 else F.max_pool2d
    value, where = pool(x, **options, return_indices=True)
    seen = tracer.meet(name, lambda: (x, value, where))
    if seen is None:
        return value
    seen_x, seen_value, seen_where = tracer.paired(seen, (x, value, where))
    return rules.max_select(x, value, seen_x, seen_value, _scatter(x, seen_where, axes), _scatter(x, where, axes))


def _scatter(like: Tensor, where: Tensor, axes: int) -> Callable[[Tensor], Tensor]:
    """Send each window's gradient to the flat position of its winner, adding where windows share one."""

    def send(g: Tensor) -> Tensor:
        flat = torch.zeros_like(like).flatten(-axes)  # not in place, so that gradients may be batched
        return flat.scatter_add(-1, where.flatten(-axes), g.flatten(-axes)).view_as(like)

    return send


def _max_over(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """``amax`` and ``max`` over one axis."""
    dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
    keep = kwargs.get("keepdim", args[2] if len(args) > 2 else False)
    if isinstance(dim, Tensor) or "other" in kwargs:
        return _extreme(tracer, "maximum", func, args, kwargs)
    dim = dim[0] if isinstance(dim, (list, tuple)) and len(dim) == 1 else dim
    if not isinstance(dim, int):
        return tracer.unknown(f"{name} over several axes", func(*args, **kwargs))
    x = args[0]
    values, where = torch.max(x, dim=dim, keepdim=True)
    seen = tracer.meet(name, lambda: (x, values, where))
    if seen is not None:
        seen_x, seen_values, seen_where = tracer.paired(seen, (x, values, where))

        def to(index: Tensor) -> Callable[[Tensor], Tensor]:
            return lambda g: torch.zeros_like(x).scatter_add(dim, index, g)

        values = rules.max_select(x, values, seen_x, seen_values, to(seen_where), to(where))
    values = values if keep else values.squeeze(dim)
    if name == "amax":
        return values
    return torch.return_types.max((values, where if keep else where.squeeze(dim)))


def _one_input(make: Callable[..., Any]) -> Handler:
    """A rule of one input whose options `make` reads: give (value, rule of the pair)."""

    def handle(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        value, x, rule = make(func, args, kwargs)
        seen = tracer.meet(name, lambda: (x,))
        return value if seen is None else rule(x, value, tracer.paired(seen, (x,))[0])

    return handle


def _softmax(func: Any, args: Any, kwargs: Any) -> Any:
    x = args[0]
    dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
    if dim is None or dim % x.ndim == 0:
        raise problem(
            "deep_lift_shap", "model", got=f"a softmax over axis {dim}", need="an axis other than the batch", do="pass dim=",
            kind=ModelError,
        )  # fmt: skip
    return func(*args, **kwargs), x, lambda ref, value, seen: rules.softmax(ref, value, seen, dim)


def _glu(func: Any, args: Any, kwargs: Any) -> Any:
    dim = kwargs.get("dim", args[1] if len(args) > 1 else -1)
    if dim % args[0].ndim == 0:
        raise problem(
            "deep_lift_shap", "model", got="a GLU over the batch", need="another axis", do="pass dim=", kind=ModelError
        )
    return func(*args, **kwargs), args[0], lambda ref, value, seen: rules.glu(ref, value, seen, dim)


def _norm(centred: bool) -> Callable[..., Any]:
    def make(func: Any, args: Any, kwargs: Any) -> Any:
        names = ("input", "normalized_shape", "weight", "bias", "eps") if centred else (
            "input", "normalized_shape", "weight", "eps"
        )  # fmt: skip
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        x, eps = given["input"], given.get("eps", 1e-5 if centred else None)
        eps = torch.finfo(x.dtype).eps if eps is None else eps
        shape = given["normalized_shape"]
        dims = tuple(range(-(len(shape) if not isinstance(shape, int) else 1), 0))
        weight = given.get("weight")
        return (
            func(*args, **kwargs),
            x,
            lambda ref, value, seen: rules.norm(ref, value, seen, dims, eps, weight, centred),
        )

    return make


def _grouped_norm(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Group norm, as a layer norm over the channels and positions of each group."""
    names = ("input", "num_groups", "weight", "bias", "eps")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    x, groups = given["input"], given["num_groups"]
    grouped = x.reshape(x.shape[0], groups, -1)
    layer = HANDLERS["layer_norm"]
    normed = layer(tracer, name, F.layer_norm, (grouped, grouped.shape[2:]), {"eps": given.get("eps", 1e-5)})
    shape = (1, -1) + (1,) * (x.ndim - 2)
    out = normed.reshape(x.shape)
    out = out if given.get("weight") is None else out * given["weight"].view(shape)
    return out if given.get("bias") is None else out + given["bias"].view(shape)


def _batch_norm(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Linear with stored statistics; refused with those of the batch, which mix rows."""
    names = ("input", "running_mean", "running_var", "weight", "bias", "training")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    value = func(*args, **kwargs)
    if given.get("training") or given.get("running_mean") is None:
        return tracer.unknown(f"{name} with the statistics of the batch", value)
    return value


def _dropout(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """The identity when it is off; refused when it is on, since each pass would drop others."""
    names = ("input", "p", "training")
    given = {"p": 0.5, "training": name in _ON_BY_DEFAULT, **dict(zip(names, args, strict=False)), **kwargs}
    value = func(*args, **kwargs)
    on = given.get("train", given["training"]) and given["p"] > 0
    return tracer.unknown(f"{name} that is on", value) if on else value


def _log_softmax(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    del name, func
    dim = kwargs.get("dim", args[1] if len(args) > 1 else -1)
    return args[0] - _log_sum_exp(tracer, "logsumexp", None, (args[0], dim, True), {})


def _log_sum_exp(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """``c + log(sum(exp(x - c)))``, c being the observed row's maximum in both passes."""
    del func
    x = args[0]
    dim = kwargs.get("dim", args[1] if len(args) > 1 else -1)
    keep = kwargs.get("keepdim", args[2] if len(args) > 2 else False)
    top = x.detach().amax(dim=dim, keepdim=True)
    seen = tracer.meet(f"{name} shift", lambda: (top,), "gate")
    shift = top if seen is None else tracer.paired(seen, (top,))[0]
    powers = _ruled_elementwise(tracer, "exp", torch.exp, x - shift)
    out = _ruled_elementwise(tracer, "log", torch.log, powers.sum(dim=dim, keepdim=True)) + shift
    return out if keep else out.squeeze(dim)


def _variance(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """Variance and standard deviation over given axes, as a mean of squares."""
    x = args[0]
    dim = kwargs.get("dim", args[1] if len(args) > 1 and not isinstance(args[1], bool) else None)
    if dim is None:
        return tracer.unknown(f"{name} over all axes", func(*args, **kwargs))
    keep = kwargs.get("keepdim", False)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    correction = kwargs.get("correction", 1 if kwargs.get("unbiased", True) else 0)
    n = math.prod(x.shape[d] for d in dims)
    squares = _ruled_elementwise(tracer, "square", torch.square, x - x.mean(dim=dims, keepdim=True))
    out = squares.sum(dim=dims, keepdim=keep) / (n - correction)
    return out if name == "var" else _ruled_elementwise(tracer, "sqrt", torch.sqrt, out)


def _attend(
    tracer: Tracer, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float
) -> tuple[Tensor, Tensor]:
    """Scores, softmax, weighted sum: each with its rule."""
    scores = _bilinear(tracer, "matmul", torch.matmul, (query * scale, key.transpose(-2, -1)), {})
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    weights = HANDLERS["softmax"](tracer, "softmax", torch.softmax, (scores, -1), {}) if depends([scores]) else (
        torch.softmax(scores, -1)
    )  # fmt: skip
    return _bilinear(tracer, "matmul", torch.matmul, (weights, value), {}), weights


def _attention(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if given.get("enable_gqa") or given.get("dropout_p"):
        return tracer.unknown(f"{name} with dropout or grouped queries", func(*args, **kwargs))
    q, k = given["query"], given["key"]
    mask = given.get("attn_mask")
    if given.get("is_causal"):
        mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
    scale = given.get("scale") or 1 / math.sqrt(q.shape[-1])
    return _attend(tracer, q, k, given["value"], mask, scale)[0]


def _multi_head(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """``nn.MultiheadAttention``, written out (Vaswani et al. 2017)."""
    names = (
        "query", "key", "value", "embed_dim_to_check", "num_heads", "in_proj_weight", "in_proj_bias", "bias_k", "bias_v",
        "add_zero_attn", "dropout_p", "out_proj_weight", "out_proj_bias", "training", "key_padding_mask", "need_weights",
        "attn_mask", "use_separate_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight",
    )  # fmt: skip
    p = {**dict(zip(names, args, strict=False)), **kwargs}
    if p["bias_k"] is not None or p["add_zero_attn"] or p.get("key_padding_mask") is not None or (
        p.get("training") and p["dropout_p"]
    ):  # fmt: skip
        return tracer.unknown(f"{name} with bias_k, a zero key, a padding mask or dropout", func(*args, **kwargs))
    length, batch, width = p["query"].shape
    if p.get("use_separate_proj_weight"):
        weights = (p["q_proj_weight"], p["k_proj_weight"], p["v_proj_weight"])
    else:
        weights = p["in_proj_weight"].chunk(3)
    biases = p["in_proj_bias"].chunk(3) if p["in_proj_bias"] is not None else (None, None, None)
    heads = p["num_heads"]

    def split(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x, weight, bias).reshape(x.shape[0], batch, heads, -1).permute(1, 2, 0, 3)

    q, k, v = (split(p[n], w, b) for n, w, b in zip(("query", "key", "value"), weights, biases, strict=True))
    mask = p.get("attn_mask")
    if mask is not None:
        mask = ~mask if mask.dtype == torch.bool else mask
        mask = mask if mask.ndim == 2 else mask.reshape(batch, heads, *mask.shape[1:])
    out, attention = _attend(tracer, q, k, v, mask, 1 / math.sqrt(q.shape[-1]))
    out = F.linear(out.permute(2, 0, 1, 3).reshape(length, batch, width), p["out_proj_weight"], p["out_proj_bias"])
    if not p.get("need_weights", True):
        return out, None
    return out, attention.mean(dim=1) if p.get("average_attn_weights", True) else attention


def _extreme(tracer: Tracer, name: str, func: Any, args: Any, kwargs: Any) -> Any:
    """The larger (smaller) of two tensors, through the absolute value of their difference."""
    del func
    a, b = args[0], args[1] if len(args) > 1 else kwargs["other"]
    gap = _ruled_elementwise(tracer, "abs", torch.abs, a - b)
    return (a + b + gap) / 2 if name == "maximum" else (a + b - gap) / 2


_ON_BY_DEFAULT: Final = ("dropout", "dropout1d", "dropout2d", "dropout3d")

PRODUCTS: Final = (
    "mul multiply __mul__ __rmul__ mul_ __imul__ matmul __matmul__ __rmatmul__ mm bmm mv dot inner outer einsum linear conv1d "
    "conv2d conv3d conv_transpose1d conv_transpose2d addmm baddbmm addcmul lerp"
).split()

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        **dict.fromkeys(_ELEMENTWISE, _elementwise),
        **dict.fromkeys(PRODUCTS, _bilinear),
        **dict.fromkeys((*_ON_BY_DEFAULT, "alpha_dropout", "feature_dropout", "feature_alpha_dropout"), _dropout),
        **dict.fromkeys("div divide true_divide __truediv__ __rtruediv__ __rdiv__ div_".split(), _divide),
        **dict.fromkeys(("max_pool1d", "max_pool2d", "_max_pool1d", "_max_pool2d"), _pool),
        **dict.fromkeys(("amax", "max"), _max_over),
        **dict.fromkeys(("maximum", "minimum"), _extreme),
        "softmax": _one_input(_softmax),
        "log_softmax": _log_softmax,
        "logsumexp": _log_sum_exp,
        "glu": _one_input(_glu),
        "layer_norm": _one_input(_norm(centred=True)),
        "rms_norm": _one_input(_norm(centred=False)),
        "group_norm": _grouped_norm,
        "batch_norm": _batch_norm,
        **dict.fromkeys(("var", "std"), _variance),
        "scaled_dot_product_attention": _attention,
        "multi_head_attention_forward": _multi_head,
    }
)
