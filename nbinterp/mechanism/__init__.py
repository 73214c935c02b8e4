"""The mechanisms by which sequences around one reference give their predictions.

In: a model and a reference.  A library of variants is made, predicted and attributed; its maps are clustered, and the
clusters are read as mechanisms: which sites are used together, and what each and each combination adds.  Or a surrogate, a
model simple enough to read, is fitted to the library.  Out: a `MechanismSpace`; a `Surrogate`.
Sources: SQUID (Seitz et al., Nature Machine Intelligence 2024) and SEAM (Seitz et al. 2025).
"""

from .background import Background, separate_background
from .cluster import Clusters, cluster_maps
from .cluster_embed import PrincipalComponents, embed_tsne, embed_umap, principal_components
from .cluster_tree import cut_tree
from .compile import compile_library
from .compile_profile import profile_component
from .gauge import fix_gauge
from .library import Library, library_of
from .library_combinatorial import combinatorial_library
from .library_global import backgrounds_of, global_library
from .library_predict import predict_library
from .library_random import random_library, two_hot_library
from .maps import MAP_METHODS, attribute_library
from .maps_ism import complete_ism
from .neighbours import NeighbourGraph, nearest_neighbours
from .sites import covariance_sites, find_sites
from .sites_configurations import Configurations, additive_parameters, assign_configurations, site_configurations
from .sites_effects import configuration_activity, site_effects, site_states
from .sites_motifs import name_sites, site_motifs
from .space import MechanismSpace
from .space_files import read_seam
from .space_make import mechanism_space
from .space_stages import predict_to_file
from .stability import Stability, adjusted_rand, silhouette, stability_of
from .summary import background_entropy, cluster_order, cluster_statistics, entropy_matrix, summary_matrix
from .summary_logos import cluster_logos, difference_logo
from .summary_sums import FineSums, fine_sums
from .surrogate import Surrogate, SurrogateMetrics
from .surrogate_bins import BinnedSurrogate, fit_binned_surrogate
from .surrogate_bootstrap import SurrogateBootstrap, bootstrap_surrogate
from .surrogate_files import read_surrogate, write_surrogate
from .surrogate_fit import fit_surrogate
from .surrogate_information import mutual_information
from .ward import ward_linkage

__all__ = [
    "MAP_METHODS",
    "Background",
    "BinnedSurrogate",
    "Clusters",
    "Configurations",
    "FineSums",
    "Library",
    "MechanismSpace",
    "NeighbourGraph",
    "PrincipalComponents",
    "Stability",
    "Surrogate",
    "SurrogateBootstrap",
    "SurrogateMetrics",
    "additive_parameters",
    "adjusted_rand",
    "assign_configurations",
    "attribute_library",
    "background_entropy",
    "backgrounds_of",
    "bootstrap_surrogate",
    "cluster_logos",
    "cluster_maps",
    "cluster_order",
    "cluster_statistics",
    "combinatorial_library",
    "compile_library",
    "complete_ism",
    "configuration_activity",
    "covariance_sites",
    "cut_tree",
    "difference_logo",
    "embed_tsne",
    "embed_umap",
    "entropy_matrix",
    "find_sites",
    "fine_sums",
    "fit_binned_surrogate",
    "fit_surrogate",
    "fix_gauge",
    "global_library",
    "library_of",
    "mechanism_space",
    "mutual_information",
    "name_sites",
    "nearest_neighbours",
    "predict_library",
    "predict_to_file",
    "principal_components",
    "profile_component",
    "random_library",
    "read_seam",
    "read_surrogate",
    "separate_background",
    "silhouette",
    "site_configurations",
    "site_effects",
    "site_motifs",
    "site_states",
    "stability_of",
    "summary_matrix",
    "two_hot_library",
    "ward_linkage",
    "write_surrogate",
]
