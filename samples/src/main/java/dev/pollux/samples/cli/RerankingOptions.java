package dev.pollux.samples.cli;

import dev.pollux.inference.encoder.LongText;
import dev.pollux.inference.encoder.OnnxReranker;
import dev.pollux.inference.encoder.RerankerOptions;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option for a model that orders the hits of a search again. */
final class RerankingOptions {

    @Option(
            names = "--reranker",
            order = 12,
            paramLabel = "FOLDER",
            description =
                    "A cross-encoder, such as 'pollux train reranker' makes, that reads the 30 best hits with the question and"
                            + " orders them again. Default: none.")
    private @Nullable Path folder;

    /** The folder, which is checked before anything is opened. */
    Optional<Path> folder() {
        return Optional.ofNullable(folder).map(given -> GivenPath.folderToRead("--reranker", given));
    }

    Optional<OnnxReranker> open(ResourceOptions resources) {
        return folder().map(path -> OnnxReranker.open(
                path,
                RerankerOptions.builder()
                        .workers(resources.threads())
                        .longText(LongText.WINDOWED)
                        .cache(resources.cache())
                        .build()));
    }
}
