"""Letters: encode, edit, shuffle, count, and read them with their places in the genome.

In: strings, FASTA, BED, VCF.  Out: one-hot tensors ``(N, 4, L)`` (rows A C G T, zero column = unknown base), or compact
containers of one byte or two bits a base that become such tensors a batch at a time; tables of loci.  Functions that
tangermeme 1.6 has keep its names, argument order, defaults and results.
"""

from .compact import CodedSequence, PackedSequence
from .composition import entropy, gc_content, information_content
from .coordinates import example_to_fasta_coords, extract_signal
from .edit import delete, insert, multisubstitute, randomize, substitute
from .encode import characters, one_hot_encode, pwm_consensus, random_one_hot, reverse_complement
from .fasta import one_hot_to_fasta, read_fasta
from .kmer import gapped_kmers, kmers, strongest_kmers
from .loci import Sequences, extract_loci, read_sequences
from .match import extract_matching_loci
from .shuffle import dinucleotide_shuffle, local_dinucleotide_shuffle, shuffle
from .signal import write_bigwig
from .tile import chunk, unchunk
from .vcf import InfoField, read_vcf, write_vcf

__all__ = [
    "CodedSequence",
    "InfoField",
    "PackedSequence",
    "Sequences",
    "characters",
    "chunk",
    "delete",
    "dinucleotide_shuffle",
    "entropy",
    "example_to_fasta_coords",
    "extract_loci",
    "extract_matching_loci",
    "extract_signal",
    "gapped_kmers",
    "gc_content",
    "information_content",
    "insert",
    "kmers",
    "local_dinucleotide_shuffle",
    "multisubstitute",
    "one_hot_encode",
    "one_hot_to_fasta",
    "pwm_consensus",
    "random_one_hot",
    "randomize",
    "read_fasta",
    "read_sequences",
    "read_vcf",
    "reverse_complement",
    "shuffle",
    "strongest_kmers",
    "substitute",
    "unchunk",
    "write_bigwig",
    "write_vcf",
]
