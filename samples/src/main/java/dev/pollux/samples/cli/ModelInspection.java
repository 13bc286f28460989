package dev.pollux.samples.cli;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.finetune.merge.CheckpointMerger;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.LowRankChange;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportReport;
import dev.pollux.inference.decoder.ExportReport.StepCost;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderReport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.MachineSpeed;
import dev.pollux.inference.onnx.OnnxFolder;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Describes a checkpoint, an exported folder or a published ONNX decoder. */
final class ModelInspection {

    /** As far as the front matter of a model card may reach. */
    private static final int CARD_LINES = 200;

    private static final Pattern LICENSE = Pattern.compile("license:\\s*['\"]?([^'\"#]+?)['\"]?\\s*(#.*)?");

    private ModelInspection() {}

    /** @param options how a model would be opened, for the estimates */
    static Report checkpoint(Path path, EngineOptions options) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            ModelConfig config = checkpoint.config();
            Report report = new Report()
                    .add("kind", "checkpoint")
                    .add("path", path.toString())
                    .add("format", Files.isDirectory(path) ? "hugging-face" : "gguf")
                    .add("name", config.name())
                    .add("architecture", config.architecture());
            weights(report, checkpoint.tensors());
            report.add("contextLength", config.contextLength())
                    .add("layers", config.layers())
                    .add("hiddenSize", config.hiddenSize())
                    .add("intermediateSize", config.intermediateSize())
                    .add("heads", config.heads())
                    .add("keyValueHeads", config.keyValueHeads())
                    .add("headDim", config.headDim())
                    .add("rotaryTheta", config.rotaryTheta())
                    .add("rotaryScaling", config.rotaryScaling().getClass().getSimpleName())
                    .add("tiedEmbedding", config.tiedEmbedding());
            texts(report, checkpoint);
            use(report, checkpoint, options);
            return report;
        }
    }

    /** The possible operations on a checkpoint, with their requirements on this machine. */
    private static void use(Report report, Checkpoint checkpoint, EngineOptions options) {
        List<String> uses = new ArrayList<>();
        if (canMerge(checkpoint.path())) {
            uses.add("merge");
        }
        ExportReport preview;
        try {
            preview = DecoderExport.preview(checkpoint, options.export());
        } catch (UnsupportedModelException | MalformedFileException e) {
            report.add("uses", uses, uses.isEmpty() ? "none" : String.join(", ", uses))
                    .add("obstacle", String.valueOf(e.getMessage()));
            return;
        }
        if (checkpoint.tokenizer().map(ModelInspection::closed).isPresent()) {
            uses.add(0, "generate");
            uses.add(1, "adapters");
            if (checkpoint.chatTemplate().isPresent()) {
                uses.add(1, "chat");
            }
        }
        uses.add("export");
        report.add("uses", uses, String.join(", ", uses)).add("obstacle", "", "");
        estimates(report, checkpoint.config(), preview, MachineSpeed.measure(options));
    }

    /** Whether the merger accepts it, according to a plan from its headers. */
    private static boolean canMerge(Path model) {
        MergePlan.Input alone = new MergePlan.Input(
                new ModelReference(
                        model.toAbsolutePath().toString(), Optional.empty(), Optional.empty(), Optional.empty()),
                Optional.empty(),
                Map.of());
        MergePlan plan = MergePlan.builder("passthrough")
                .slice(new MergePlan.Slice(List.of(alone), Optional.empty(), Map.of()))
                .build();
        return CheckpointMerger.in(Path.of("")).plan(plan).isPossible();
    }

    private static boolean closed(Tokenizer tokenizer) {
        tokenizer.close();
        return true;
    }

    private static void estimates(Report report, ModelConfig config, ExportReport preview, MachineSpeed speed) {
        StepCost step = preview.step();
        long full = preview.bytes() + step.stateBytes() + step.cacheBytes() * config.contextLength();
        double decode = round(speed.decode(step));
        double prefill = round(speed.prefill(step));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("weightBytes", preview.bytes());
        json.put("cacheBytesPerToken", step.cacheBytes());
        json.put("stateBytes", step.stateBytes());
        json.put("bytesAtFullContext", full);
        json.put("decodeTokensPerSecond", decode);
        json.put("prefillTokensPerSecond", prefill);
        report.add("estimates", json, "")
                .text(
                        "memory",
                        Texts.bytes(preview.bytes()) + " of weights as exported, and " + Texts.bytes(step.cacheBytes())
                                + " a token: " + Texts.bytes(full) + " at full context")
                .text(
                        "speed",
                        "about " + decode + " tokens a second written, " + prefill
                                + " read of a prompt, on this machine");
    }

    private static double round(double value) {
        return value >= 10 ? Math.round(value) : Math.round(value * 10) / 10.0;
    }

    /** A LoRA adapter in PEFT's format or in a GGUF file. */
    static Report adapter(Path path) {
        try (LoraAdapter adapter = LoraAdapter.load(path, 2)) {
            List<LowRankChange> changes = adapter.targets().stream()
                    .flatMap(target -> adapter.factors(target).stream())
                    .toList();
            long parameters = changes.stream()
                    .mapToLong(change -> change.a().elements() + change.b().elements())
                    .sum();
            TreeSet<Integer> ranks = new TreeSet<>();
            changes.forEach(change -> ranks.add(change.rank()));
            List<String> uses = adapter.otherThanFactors().isEmpty() ? List.of("adapters", "merge") : List.of("merge");
            return new Report()
                    .add("kind", "adapter")
                    .add("path", path.toString())
                    .add("matrices", changes.size())
                    .add("ranks", ranks)
                    .add("parameters", parameters, Texts.count(parameters))
                    .add("uses", uses, String.join(", ", uses));
        }
    }

    /** An encoder's checkpoint, which {@link Checkpoint} does not take for a decoder. */
    static Report encoder(Path folder) {
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            EncoderReport preview = EncoderExport.preview(folder, EncoderWeights.FLOAT);
            boolean scores = EncoderExport.givesScores(folder);
            Report report = new Report()
                    .add("kind", "encoder")
                    .add("path", folder.toString())
                    .add("format", "hugging-face")
                    .add("architecture", preview.architecture());
            weights(report, tensors);
            String license = license(folder);
            return report.add("weightBytes", preview.bytes(), Texts.bytes(preview.bytes()) + " as exported in floats")
                    .add("license", license, license.isEmpty() ? "not said" : license)
                    .add("uses", List.of(scores ? "rerank" : "embed"), scores ? "rerank" : "embed");
        }
    }

    private static void weights(Report report, TensorFile tensors) {
        Map<String, Map<String, Object>> types = new TreeMap<>();
        long parameters = 0;
        long bytes = 0;
        for (TensorInfo info : tensors.tensors().values()) {
            Map<String, Object> type = types.computeIfAbsent(info.type().name(), name -> new LinkedHashMap<>());
            type.merge("tensors", 1L, (a, b) -> (Long) a + (Long) b);
            type.merge("parameters", info.elements(), (a, b) -> (Long) a + (Long) b);
            type.merge("bytes", info.byteLength(), (a, b) -> (Long) a + (Long) b);
            parameters += info.elements();
            bytes += info.byteLength();
        }
        String main = types.entrySet().stream()
                .max(Comparator.comparingLong(type -> number(type.getValue(), "parameters")))
                .map(Map.Entry::getKey)
                .orElse("none");
        report.add("quantization", main, main + " for most parameters")
                .add("parameters", parameters, Texts.count(parameters))
                .add("bytes", bytes, Texts.bytes(bytes) + " of weights")
                .add("types", types, "");
        types.forEach((name, type) -> report.line("  " + name + ": " + type.get("tensors") + " tensors, "
                + Texts.count(number(type, "parameters")) + " parameters, "
                + Texts.bytes(number(type, "bytes"))));
    }

    private static long number(Map<String, Object> type, String key) {
        return type.get(key) instanceof Long number ? number : 0;
    }

    private static void texts(Report report, Checkpoint checkpoint) {
        ModelConfig config = checkpoint.config();
        List<Integer> ends = checkpoint.endTokens();
        List<String> endTokens = new ArrayList<>();
        int tokenizerSize = 0;
        Optional<Tokenizer> tokenizer = checkpoint.tokenizer();
        if (tokenizer.isPresent()) {
            try (Tokenizer open = tokenizer.get()) {
                tokenizerSize = open.vocabularySize();
                ends.forEach(id -> endTokens.add(id < open.vocabularySize() ? open.tokenOf(id) : ""));
            }
        }
        String license = license(checkpoint.path());
        boolean template = checkpoint.chatTemplate().isPresent();
        report.add("vocabularySize", config.vocabularySize())
                .add("tokenizerSize", tokenizerSize, tokenizerSize == 0 ? "none" : tokenizerSize + " tokens")
                .add("endTokens", ends, ends + " " + endTokens)
                .add("chatTemplate", template, template ? "yes" : "no")
                .add("license", license, license.isEmpty() ? "not said" : license);
    }

    /** The model's licence from GGUF metadata or the front matter of the model card; empty if there is none. */
    private static String license(Path path) {
        if (Files.isRegularFile(path)) {
            try (GgufFile file = GgufFile.open(path)) {
                return file.metadata().get("general.license") instanceof String license ? license : "";
            }
        }
        Path card = path.resolve("README.md");
        if (!Files.isRegularFile(card)) {
            return "";
        }
        try (BufferedReader reader = Files.newBufferedReader(card)) {
            String line = reader.readLine();
            for (int i = 0; i < CARD_LINES && line != null && (i == 0 || !line.equals("---")); i++) {
                Matcher license = LICENSE.matcher(line);
                if (license.matches()) {
                    return license.group(1).strip();
                }
                line = reader.readLine();
            }
            return "";
        } catch (IOException e) {
            throw new StorageException("Cannot read " + card + ": " + e, e);
        }
    }

    static Report export(Path folder) {
        DecoderManifest manifest = DecoderManifest.read(folder);
        boolean template = Files.isRegularFile(folder.resolve(DecoderManifest.TEMPLATE_FILE));
        boolean tokenizer = Files.isRegularFile(folder.resolve(DecoderManifest.TOKENIZER_FILE));
        long bytes = size(folder);
        Report report = new Report()
                .add("kind", "export")
                .add("path", folder.toString())
                .add("format", manifest.format())
                .add("name", manifest.name())
                .add("architecture", manifest.architecture())
                .add("bytes", bytes, Texts.bytes(bytes))
                .add("contextLength", manifest.contextLength())
                .add("vocabularySize", manifest.vocabularySize())
                .add("states", manifest.states().size())
                .add("tokenizer", tokenizer, tokenizer ? "yes" : "no")
                .add("chatTemplate", template, template ? "yes" : "no")
                .add("endTokens", manifest.endTokens())
                .add("provenance", new TreeMap<>(manifest.provenance()), "");
        new TreeMap<>(manifest.provenance()).forEach((name, value) -> report.line("  " + name + ": " + value));
        return report;
    }

    /** A published ONNX decoder. */
    static Report onnx(OnnxFolder folder) {
        DecoderManifest manifest = folder.manifest();
        ModelTexts texts = ModelTexts.in(folder.folder());
        boolean template = texts.chatTemplate().isPresent();
        int tokenizerSize = 0;
        List<Integer> ends = manifest.endTokens();
        Optional<Tokenizer> tokenizer = texts.tokenizer();
        if (tokenizer.isPresent()) {
            try (Tokenizer open = tokenizer.get()) {
                tokenizerSize = open.vocabularySize();
                ends = manifest.withEndTokens(texts.endTokens(ends, open)).endTokens();
            }
        }
        List<String> variants = folder.variants().stream()
                .map(file -> folder.folder().toAbsolutePath().relativize(file.toAbsolutePath()))
                .map(file -> file.toString().replace('\\', '/'))
                .toList();
        Report report = new Report()
                .add("kind", "onnx")
                .add("path", folder.file().toString())
                .add("format", folder.kind().name().toLowerCase(Locale.ROOT))
                .add("name", manifest.name())
                .add("architecture", manifest.architecture())
                .add("variants", variants)
                .add("contextLength", manifest.contextLength())
                .add("vocabularySize", manifest.vocabularySize())
                .add("states", manifest.states().size())
                .add("tokenizerSize", tokenizerSize, tokenizerSize == 0 ? "none" : tokenizerSize + " tokens")
                .add("chatTemplate", template, template ? "yes" : "no")
                .add("endTokens", ends)
                .add("provenance", new TreeMap<>(manifest.provenance()), "");
        new TreeMap<>(manifest.provenance()).forEach((name, value) -> report.line("  " + name + ": " + value));
        return report;
    }

    private static long size(Path folder) {
        long bytes = 0;
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
            return bytes;
        } catch (IOException e) {
            throw new StorageException("Cannot read " + folder + ": " + e, e);
        }
    }
}
