"""What the hits report is asked: regions, and a call or the patterns to call; no model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...core.check import check_choice
from ...errors import problem
from .record import TemplateParameters, about, at_least

__all__ = ["HitsParameters"]


@dataclass(frozen=True)
class HitsParameters(TemplateParameters):
    """What the hits report asks; see `describe` for each."""

    where: ClassVar[str] = "report hits"
    paths: ClassVar[tuple[str, ...]] = ("regions", "hits", "modisco", "motifs")

    regions: str = about("", "npz file of regions, ours or Fi-NeMo's")
    hits: str = about("", "folder of a call in them, ours or Fi-NeMo's; empty: call the patterns now")
    modisco: str = about("", "HDF5 file of TF-MoDISco: patterns to call, and seqlets to compare with")
    modisco_window: int = about(400, "width of the middle of the regions in which TF-MoDISco sought seqlets")
    recall: bool = about(True, "compare with seqlets; not where the patterns are of other regions")
    mode: str = about("pp", "pp, ph, hp or hh: motifs and contributions projected or hypothetical; of a call made now")
    global_lambda: float = about(0.7, "about the least cosine of a hit; of a call made now")
    trim: float = about(0.3, "a motif goes as far as columns with this part of the largest; of a call made now")
    motifs: str = about("", "known motifs for names: MEME, JASPAR, TRANSFAC or HOMER; empty: JASPAR's CORE")
    tax_group: str = about("vertebrates", "whose motifs of JASPAR's CORE; empty: all")
    level: float = about(0.05, "largest q-value of a name, of a hit, of pairs and of spacings")
    tolerance: int = about(3, "positions by which a hit may be off its seqlet in the tolerant recall")
    max_distance: int = about(100, "spacings of fewer bases are tested")
    n_permutations: int = about(3, "how often regions are permuted to see what chance gives; 0: no significance")
    n_permuted: int = about(500, "regions permuted, drawn at random where there are more; 0: all")
    n_shown: int = about(100, "regions shown base by base, those with the most hits")
    demo: bool = about(False, "the embedded model's contributions on simulated sequences with known truth")
    n_demo: int = about(200, "how many simulated sequences")
    random_state: int = about(0, "seed")
    device: str = about("", "cpu, cuda, ...; empty: CUDA if there is one")

    def check(self) -> None:
        """Refuse what cannot work, before anything starts."""
        if self.demo == bool(self.regions):
            got = "both" if self.demo else "neither"
            raise problem(self.where, "regions, demo", got=got, need="exactly one", do="choose what to read")
        if self.demo and (self.hits or self.modisco):
            raise problem(
                self.where, "hits, modisco", got="files beside the demo", need="the demo's own", do="leave them out"
            )
        if not (self.demo or self.hits or self.modisco):
            do = "pass --hits, or --modisco to call its patterns"
            raise problem(self.where, "hits, modisco", got="neither", need="at least one", do=do)
        self._check_files()
        check_choice(self.where, "mode", self.mode, ("pp", "ph", "hp", "hh"))
        least = {"tolerance": 0, "n_permutations": 0, "n_permuted": 0}
        at_least(self.where, self, {**least, "n_shown": 1, "n_demo": 1, "max_distance": 1, "modisco_window": 1})
        for name in ("global_lambda", "trim", "level"):
            if not 0 <= getattr(self, name) <= 1:
                raise problem(self.where, name, got=getattr(self, name), need="0 to 1", do="correct it")

    def _check_files(self) -> None:
        """Files are files, and the call is a folder."""
        for name in self.paths:
            path = getattr(self, name)
            found = (Path(path).is_file() or (name == "hits" and Path(path).is_dir())) if path else True
            if name == "hits" and path and Path(path).is_file():
                need = "the folder of a call, with motif_data.tsv beside hits.tsv"
                raise problem(
                    self.where, name, got=f"{path}, which is a file", need=need, do=f"pass {Path(path).parent}"
                )
            if not found:
                kind = "folder" if name == "hits" else "file"
                raise problem(
                    self.where, name, got=f"{path}, which is no {kind}", need=f"a {kind}", do="check the path"
                )
