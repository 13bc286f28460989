package dev.pollux.inference.quantize;

import dev.pollux.StorageException;
import dev.pollux.inference.calibration.EmbedderComparison;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.calibration.ModelComparison.Interval;
import dev.pollux.internal.Json;
import dev.pollux.quantization.KeptWeight;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.quantization.QuantizedLayer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a quantization did and what it lost, for people and machines. <em>Immutable.</em>
 *
 * <pre>{@code
 * QualityReport report = QualityReport.builder(model, done)
 *         .comparison(ModelComparer.of(engine).compare(model, done.folder(), text).run())
 *         .build();
 * report.write(Path.of("report"));
 * }</pre>
 */
public final class QualityReport {

    private final Path model;
    private final QuantizationReport done;
    private final @Nullable ModelComparison comparison;
    private final @Nullable EmbedderComparison embeddings;
    private final @Nullable PrecisionPlan precision;
    private final Map<String, Pair> retrieval;

    private QualityReport(Builder b) {
        this.model = b.model;
        this.done = b.done;
        this.comparison = b.comparison;
        this.embeddings = b.embeddings;
        this.precision = b.precision;
        this.retrieval = Map.copyOf(b.retrieval);
    }

    /**
     * A score of both models.
     *
     * @param a of the original
     * @param b of the quantized model
     */
    public record Pair(double a, double b) {}

    /** A builder of a report without measurements. */
    public static Builder builder(Path model, QuantizationReport done) {
        return new Builder(model, done);
    }

    /** The path of the original. */
    public Path model() {
        return model;
    }

    /** What was done. */
    public QuantizationReport done() {
        return done;
    }

    /** The loss of a decoder, if it was measured. */
    public Optional<ModelComparison> comparison() {
        return Optional.ofNullable(comparison);
    }

    /** The loss of an embedder, if it was measured. */
    public Optional<EmbedderComparison> embeddings() {
        return Optional.ofNullable(embeddings);
    }

    /** The choice of bits under a budget, if there was one. */
    public Optional<PrecisionPlan> precision() {
        return Optional.ofNullable(precision);
    }

    /** Scores of retrieval, such as nDCG at 10, by the name of the collection. */
    public Map<String, Pair> retrieval() {
        return retrieval;
    }

    /**
     * A copy with nDCG at 10 on a collection.
     *
     * @param original the score of the original
     * @param quantized the score of the quantized model
     */
    public QualityReport withRetrieval(String collection, double original, double quantized) {
        Builder builder = builder(model, done).retrieval(collection, original, quantized);
        comparison().ifPresent(builder::comparison);
        embeddings().ifPresent(builder::embeddings);
        precision().ifPresent(builder::precision);
        retrieval.forEach((name, pair) -> builder.retrieval(name, pair.a(), pair.b()));
        return builder.build();
    }

    /** The measures that do not depend on the machine, by name, for the scores of an artifact. */
    public Map<String, Double> scores() {
        Map<String, Double> scores = new LinkedHashMap<>();
        comparison().ifPresent(found -> scores.putAll(found.scores()));
        embeddings().ifPresent(found -> scores.putAll(found.scores()));
        retrieval.forEach((name, pair) -> scores.put("ndcgAt10." + name, pair.b()));
        return scores;
    }

    /**
     * The report as values of JSON: maps, lists, text and numbers.
     *
     * <pre>
     * model, target, recipe, bytesBefore, bytesAfter, relativeError, elapsedMillis, notices
     * layers[]     name, operators, shape, method, bits, blockSize, symmetric, bytesBefore, bytesAfter, relativeError
     * kept[]       name, shape, bytes, reason
     * comparison   text, a, b, perplexityRatio, kl, topOneAgreement, firstDivergence
     * embeddings   texts, a, b, cosine, recallAt10
     * retrieval[]  collection, ndcgAt10 (a, b)
     * precision    bytes, predictedKl, points[] (bytes, kl, bits)
     * </pre>
     */
    public Map<String, Object> values() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("model", model.toString());
        all.put("target", done.folder().toString());
        all.put("recipe", values(done.recipe()));
        all.put("bytesBefore", done.bytesBefore());
        all.put("bytesAfter", done.bytesAfter());
        all.put("relativeError", done.relativeError());
        all.put("elapsedMillis", done.elapsed().toMillis());
        all.put("notices", done.notices());
        all.put("layers", layers(done.layers()));
        all.put("kept", kept(done.kept()));
        comparison().ifPresent(found -> all.put("comparison", values(found)));
        embeddings().ifPresent(found -> all.put("embeddings", values(found)));
        if (!retrieval.isEmpty()) {
            List<Map<String, Object>> collections = new ArrayList<>();
            retrieval.forEach((name, pair) ->
                    collections.add(Map.of("collection", name, "ndcgAt10", Map.of("a", pair.a(), "b", pair.b()))));
            all.put("retrieval", collections);
        }
        precision().ifPresent(plan -> all.put("precision", values(plan)));
        return all;
    }

    /** A recipe as values of JSON: method, bits, blockSize, headBits, symmetric, likeOnnxRuntime, form, keep. */
    public static Map<String, Object> values(QuantizationRecipe recipe) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("method", recipe.method().text());
        json.put("bits", recipe.bits());
        json.put("blockSize", recipe.blockSize());
        json.put("headBits", recipe.headBits());
        json.put("symmetric", recipe.symmetric());
        json.put("likeOnnxRuntime", recipe.likeOnnxRuntime());
        json.put("form", recipe.form().name().toLowerCase(Locale.ROOT));
        json.put(
                "keep",
                recipe.rules().stream()
                        .filter(rule -> rule.bits() == 0 && rule.blockSize() == 0)
                        .map(QuantizationRecipe.Rule::pattern)
                        .toList());
        return json;
    }

    /** Layers as values of JSON, as in {@link #values}. */
    public static List<Map<String, Object>> layers(List<QuantizedLayer> layers) {
        List<Map<String, Object>> json = new ArrayList<>();
        for (QuantizedLayer layer : layers) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", layer.name());
            one.put("operators", layer.operators());
            one.put("shape", layer.shape());
            one.put("method", layer.method().text());
            one.put("bits", layer.bits());
            one.put("blockSize", layer.blockSize());
            one.put("symmetric", layer.symmetric());
            one.put("bytesBefore", layer.bytesBefore());
            one.put("bytesAfter", layer.bytesAfter());
            layer.relativeError().ifPresent(error -> one.put("relativeError", error));
            json.add(one);
        }
        return json;
    }

    /** Weights that stay in float as values of JSON, as in {@link #values}. */
    public static List<Map<String, Object>> kept(List<KeptWeight> weights) {
        List<Map<String, Object>> json = new ArrayList<>();
        for (KeptWeight weight : weights) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", weight.name());
            one.put("shape", weight.shape());
            one.put("bytes", weight.bytes());
            one.put("reason", weight.reason());
            json.add(one);
        }
        return json;
    }

    /**
     * A comparison as values of JSON: {@code text} (tokens), {@code a} and {@code b} (perplexity, bytes, loadMillis,
     * prefillTokensPerSecond, decodeTokensPerSecond), {@code perplexityRatio} (value, low, high), {@code kl} (mean, low, high,
     * p99), {@code topOneAgreement}, {@code firstDivergence} (median).
     */
    public static Map<String, Object> values(ModelComparison found) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("text", Map.of("tokens", found.tokens()));
        json.put("a", side(found.a()));
        json.put("b", side(found.b()));
        json.put("perplexityRatio", interval("value", found.perplexityRatio()));
        Map<String, Object> kl = interval("mean", found.kl());
        kl.put("p99", found.klP99());
        json.put("kl", kl);
        json.put("topOneAgreement", found.topOneAgreement());
        json.put("firstDivergence", Map.of("median", found.firstDivergence()));
        return json;
    }

    private static Map<String, Object> side(ModelComparison.Side side) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("perplexity", side.perplexity());
        json.put("bytes", side.bytes());
        json.put("loadMillis", side.loadMillis());
        json.put("prefillTokensPerSecond", side.prefillTokensPerSecond());
        json.put("decodeTokensPerSecond", side.decodeTokensPerSecond());
        return json;
    }

    /**
     * A comparison of embedders as values of JSON: {@code texts}, {@code a} and {@code b} (bytes, loadMillis, textsPerSecond),
     * {@code cosine} (mean, low, high, least), {@code recallAt10}.
     */
    public static Map<String, Object> values(EmbedderComparison found) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("texts", found.texts());
        json.put("a", side(found.a()));
        json.put("b", side(found.b()));
        Map<String, Object> cosine = interval("mean", found.cosine());
        cosine.put("least", found.leastCosine());
        json.put("cosine", cosine);
        json.put("recallAt10", found.recallAt10());
        return json;
    }

    private static Map<String, Object> side(EmbedderComparison.Side side) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("bytes", side.bytes());
        json.put("loadMillis", side.loadMillis());
        json.put("textsPerSecond", side.textsPerSecond());
        return json;
    }

    private static Map<String, Object> interval(String name, Interval interval) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put(name, interval.value());
        json.put("low", interval.low());
        json.put("high", interval.high());
        return json;
    }

    private static Map<String, Object> values(PrecisionPlan plan) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("bytes", plan.bytes());
        json.put("predictedKl", plan.predictedKl());
        List<Map<String, Object>> points = new ArrayList<>();
        for (PrecisionPlan.Point point : plan.points()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("bytes", point.bytes());
            one.put("kl", point.kl());
            one.put("bits", point.bits());
            points.add(one);
        }
        json.put("points", points);
        return json;
    }

    /** The report as one JSON object; see {@link #values}. */
    public String json() {
        return Json.text(values());
    }

    /** The report as Markdown with tables. */
    public String markdown() {
        return new QualityMarkdown(this).text();
    }

    /** The report as one HTML page with plots. It loads nothing and runs no script. */
    public String html() {
        return new QualityPage(this).text();
    }

    /**
     * Writes {@code report.json}, {@code report.md} and {@code report.html} into a folder, which is created if needed. Existing
     * files of these names are replaced.
     *
     * @throws StorageException if a file cannot be written
     */
    public void write(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("report.json"), json());
            Files.writeString(folder.resolve("report.md"), markdown());
            Files.writeString(folder.resolve("report.html"), html());
        } catch (IOException e) {
            throw new StorageException("Cannot write the report into " + folder + ": " + e, e);
        }
    }

    /** A short summary. */
    @Override
    public String toString() {
        return "QualityReport[" + done + "]";
    }

    /** Builds a {@link QualityReport}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {

        private final Path model;
        private final QuantizationReport done;
        private @Nullable ModelComparison comparison;
        private @Nullable EmbedderComparison embeddings;
        private @Nullable PrecisionPlan precision;
        private final Map<String, Pair> retrieval = new LinkedHashMap<>();

        private Builder(Path model, QuantizationReport done) {
            this.model = model;
            this.done = done;
        }

        /** See {@link QualityReport#comparison()}. */
        public Builder comparison(ModelComparison value) {
            comparison = value;
            return this;
        }

        /** See {@link QualityReport#embeddings()}. */
        public Builder embeddings(EmbedderComparison value) {
            embeddings = value;
            return this;
        }

        /** See {@link QualityReport#precision()}. */
        public Builder precision(PrecisionPlan value) {
            precision = value;
            return this;
        }

        /** Adds nDCG at 10 on a collection; see {@link QualityReport#retrieval()}. */
        public Builder retrieval(String collection, double original, double quantized) {
            retrieval.put(collection, new Pair(original, quantized));
            return this;
        }

        /** The report. */
        public QualityReport build() {
            return new QualityReport(this);
        }
    }
}
