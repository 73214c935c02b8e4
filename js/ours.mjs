// Properties that bundles spell with one letter or two. They are ours alone: no part of what Python sends, of a trait, of the
// DOM, or of what bundles share on a page, and never a word in quotes.
export const OURS = [
  "accent", "answers", "backend", "centre", "channel", "clickRow", "describe", "everyRow", "extent", "facts", "glide", "glyph", "ground", "history", "isFirst",
  "levels", "line", "longest", "mapped", "motion", "named", "onGutter", "opener", "origin", "overview", "painted", "panel", "patience", "plot", "prepare",
  "progress", "question", "readout", "refusal", "refuse", "rowCount", "rowsTop", "screen", "spans", "stacked", "store", "theme", "trouble", "unclip",
];
