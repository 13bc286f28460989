package dev.pollux.rag.knowledge;

import java.time.Duration;

/**
 * What a build of the index made. <em>Immutable.</em>
 *
 * @param segments number of segments of the knowledge base
 * @param vectorFiles number of vector files written
 * @param graphs number of graphs built
 * @param bytes size of the files written
 * @param elapsed duration
 */
public record IndexReport(int segments, int vectorFiles, int graphs, long bytes, Duration elapsed) {}
