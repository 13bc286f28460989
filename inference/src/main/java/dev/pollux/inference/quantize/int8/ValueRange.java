package dev.pollux.inference.quantize.int8;

/** The range of a value of a graph that its codes must cover. <em>Immutable.</em> */
record ValueRange(float low, float high) {}
