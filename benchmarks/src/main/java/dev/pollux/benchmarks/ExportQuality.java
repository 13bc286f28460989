package dev.pollux.benchmarks;

import dev.pollux.inference.calibration.Perplexity;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.ExportReport;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * Size and perplexity of a checkpoint's exports, on the document that a golden set names.
 *
 * <pre>
 * ExportQuality GOLDEN/smollm2-135m-instruct DATA MODEL.gguf …
 * </pre>
 */
public final class ExportQuality {

    private ExportQuality() {}

    /** Exports each file in every form and measures. */
    public static void main(String[] args) throws IOException {
        JsonNode document =
                JsonNode.parse(Files.readString(Path.of(args[0], "cases.json"))).path("document");
        String text = content(
                JsonNode.parse(Files.readString(Path.of(args[1], "llm-twin", "cleaned_documents.json"))),
                document.path("id").asString());
        System.out.println("| file | export | matrices | MB | export, s | load, ms | perplexity |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (String file : Arrays.copyOfRange(args, 2, args.length)) {
            for (WeightFormat weights : WeightFormat.values()) {
                measure(Path.of(file), weights, text, document.path("tokens").asInt());
            }
        }
    }

    private static String content(JsonNode node, String id) {
        if (id.equals(node.path("id").asString(""))) {
            return node.path("content").asString();
        }
        return node.valueStream()
                .map(child -> content(child, id))
                .filter(found -> !found.isEmpty())
                .findFirst()
                .orElse("");
    }

    private static void measure(Path file, WeightFormat weights, String text, int tokens) throws IOException {
        Path folder = Files.createTempDirectory("export");
        Path target = folder.resolve("model");
        try (Checkpoint checkpoint = Checkpoint.open(file);
                Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
            ExportOptions options = ExportOptions.builder().weights(weights).build();
            ExportReport report =
                    DecoderExport.export(checkpoint, target, options).run();
            try (DecoderModel model = DecoderModel.open(target, EngineOptions.DEFAULTS)) {
                int[] ids = Arrays.copyOf(tokenizer.encode(text, true), tokens);
                double perplexity = Perplexity.of(model, ids, JobContext.NONE).value();
                System.out.printf(
                        Locale.ROOT,
                        "| %s | %s | %s | %d | %.1f | %d | %.3f |%n",
                        file.getFileName(),
                        weights,
                        report.matrices(),
                        report.bytes() >> 20,
                        report.elapsed().toMillis() / 1000.0,
                        model.loadTime().toMillis(),
                        perplexity);
            }
        }
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(target)) {
            for (Path part : parts) {
                Files.delete(part);
            }
        }
        Files.delete(target);
        Files.delete(folder);
    }
}
