"""What the flags of a problem ask for; whatever loads JAX waits inside the functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rfsim.cli.flags import DIM, RIVALS, CommonFlags, LimitFlags, ProblemFlags, SampleFlags
from rfsim.notes import recorded
from rfsim.words import shown

if TYPE_CHECKING:
    from rfsim.arrays import Rows
    from rfsim.model import Problem, Sizes


class Asked(NamedTuple):
    """What the flags ask for: the problem, its sizes where it is drawn, the keyword arguments of the front door's
    functions beside it, and what there is to say about how the flags were read."""

    problem: Problem
    sizes: Sizes | None
    arguments: dict[str, Any]
    notes: list[str]


def ask(flags: CommonFlags) -> Asked:
    """Turn flags into a problem; an array is read once, here. ValueError or MemoryError where they do not fit."""
    with recorded() as heard:
        asked = _ask_sample(flags) if isinstance(flags, SampleFlags) else _ask_limit(flags)
    return asked._replace(notes=[*asked.notes, *heard])


def _ask_sample(flags: SampleFlags) -> Asked:
    from rfsim import model

    array = _array(flags)
    columns = (flags.dim or DIM) if array is None else array.values.shape[1]
    dim = columns if flags.dim is None else flags.dim  # one that differs from an array's is refused below
    problem = _problem(flags, columns)
    center = not flags.no_center
    origin = model.source(problem, array=array, center=center, scale=flags.scale)
    sizes = model.resolve(problem, origin, dim)
    notes = [
        f"{name}: {ratio:g} x {sizes.dim} rounds to {count}"
        for name, ratio, count in (
            ("samples", problem.samples_per_dim, sizes.samples),
            ("features", problem.features_per_dim, sizes.features),
        )
        if abs(ratio * sizes.dim - count) > 1e-9 * count
    ]
    notes += _unused(flags, array) + _found(problem)
    arguments = {"dim": dim, "seed": flags.seed, "seeds": flags.seeds, "center": center, "scale": flags.scale}
    arguments |= {"array": array}
    if isinstance(flags, ProblemFlags):
        arguments |= {"model": flags.model, "moments": flags.moments}
    return Asked(problem, sizes, arguments, notes)


def _ask_limit(flags: CommonFlags) -> Asked:
    """For the limit, which has no dim: counts of samples and features are refused unless data give one."""
    array = _array(flags)
    if array is None and (flags.samples is not None or flags.features is not None):
        raise ValueError(
            "--samples and --features are counts of a dimension, which the limit has none of; give --samples-per-dim "
            "and --features-per-dim, or data of a file"
        )
    problem = _problem(flags, 1 if array is None else array.values.shape[1])
    arguments = {"array": array, "center": not flags.no_center, "scale": flags.scale}
    return Asked(problem, None, arguments, _unused(flags, array) + _found(problem))


def _array(flags: CommonFlags) -> Rows | None:
    from rfsim import populations

    for ratio, count in RIVALS:
        if _value(flags, ratio) is not None and _value(flags, count) is not None:
            raise ValueError(f"{ratio} and {count} are two forms of one quantity; give one of them")
    return populations.read(flags.data).rows()


def _problem(flags: CommonFlags, columns: int) -> Problem:
    from rfsim import model

    _import(flags)

    ratios = {
        "samples_per_dim": flags.samples_per_dim if flags.samples is None else flags.samples / columns,
        "features_per_dim": flags.features_per_dim if flags.features is None else flags.features / columns,
    }
    at = {"diffusion_time": flags.diffusion_time} if isinstance(flags, LimitFlags) else {}
    return model.Problem(
        **{name: ratio for name, ratio in ratios.items() if ratio is not None},
        **at,
        noise_copies=flags.noise_copies,
        activation=flags.activation,
        data=flags.data,
        ridge=flags.ridge,
    )


def _import(flags: CommonFlags) -> None:
    """Import the activation where it is an address, of this folder too; ValueError without --allow-import."""
    from rfsim import activations

    if not activations.runs_code(flags.activation):
        return
    if not flags.allow_import:
        raise ValueError(
            f"--activation {shown(flags.activation)} imports a module, and so runs its code; add --allow-import to "
            "allow it, or give an activation by name"
        )
    activations.activation(flags.activation, Path.cwd())


def _found(problem: Problem) -> list[str]:
    """What was found of an imported activation by trying it."""
    from rfsim import activations

    sigma = problem.activation
    if not activations.runs_code(sigma.name):
        return []
    centered = "odd" if sigma.odd else "less its mean at each Γ" if sigma.self_centering else "centered as it is"
    kinks = f"kinks at {', '.join(f'{kink:g}' for kink in sigma.kinks)}" if sigma.kinks else "no kinks"
    return [f"activation {sigma}: {centered}, {kinks}"]


def _unused(flags: CommonFlags, array: Rows | None) -> list[str]:
    if array is None and (flags.no_center or flags.scale != "global"):
        return [f"--no-center and --scale concern arrays: {flags.data} is used as it is"]
    return []


def _value(flags: CommonFlags, flag: str) -> Any:
    return getattr(flags, flag.removeprefix("--").replace("-", "_"))
