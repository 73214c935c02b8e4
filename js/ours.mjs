// Properties that bundles spell with one letter or two. They are ours alone: no part of what Python sends, of a trait, of the
// DOM, or of what bundles share on a page, and never a word in quotes.
export const OURS = [
  "accent", "answers", "backend", "called", "centre", "channel", "clickRow", "clipped", "close", "current", "describe", "everyRow", "everywhere", "extent", "facts", "glide", "glyph",
  "ground", "history", "isFirst", "lanesTop", "levels", "line", "longest", "mapped", "motion", "named", "onGutter", "opener", "origin", "overview",
  "painted", "panel", "patience", "plot", "prepare", "progress", "question", "readout", "refusal", "refuse", "rowCount", "rowsTop", "screen", "sets", "spans",
  "stacked", "stale", "store", "theme", "trouble", "unclip",
];
