package dev.pollux.inference.gguf;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A written file. <em>Immutable.</em>
 *
 * @param file the file
 * @param content its content
 * @param elapsed the duration of the job
 */
public record GgufReport(Path file, GgufPreview content, Duration elapsed) {}
