package dev.pollux.samples.cli;

import dev.pollux.embedding.Embedder;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.onnx.OnnxFolder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeStats;
import dev.pollux.rag.knowledge.KnownDocument;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Describes a file or folder. */
@Command(
        name = "inspect",
        description = {
            "Say what is in a checkpoint, an exported model, a ready-made ONNX decoder, an adapter or a knowledge"
                    + " base, what can be done with it, and for a language model what memory and time that takes on this"
                    + " machine.",
            "",
            "--json, by kind: \"checkpoint\" {kind, path, format, name, architecture, quantization, parameters, bytes,"
                    + " types, contextLength, layers, hiddenSize, intermediateSize, heads, keyValueHeads, headDim,"
                    + " rotaryTheta, rotaryScaling, tiedEmbedding, vocabularySize, tokenizerSize, endTokens, chatTemplate,"
                    + " license, uses, obstacle, estimates: {weightBytes, cacheBytesPerToken, stateBytes,"
                    + " bytesAtFullContext, decodeTokensPerSecond, prefillTokensPerSecond}}, where types maps a tensor"
                    + " type to {tensors, parameters, bytes}, uses are among generate, chat, adapters, merge and export,"
                    + " and estimates are missing where obstacle says why it cannot be exported; \"encoder\" {kind, path,"
                    + " format, architecture, quantization, parameters, bytes, types, weightBytes, license, uses};"
                    + " \"adapter\" {kind, path, matrices, ranks, parameters, uses}; \"export\" {kind, path, format, name,"
                    + " architecture, bytes, contextLength, vocabularySize, states, tokenizer, chatTemplate, endTokens,"
                    + " provenance}; \"onnx\" {kind, path, format, name, architecture, variants, contextLength,"
                    + " vocabularySize, states, tokenizerSize, chatTemplate, endTokens, provenance}; \"knowledge\" {kind,"
                    + " path, sources, documentCount, passages, bytes, embedder, fingerprint, dimension, lastCommit,"
                    + " documents: [{source, id, mediaType, passages, characters, hash}]}."
        },
        footer = {
            "  pollux inspect model.gguf",
            "  pollux inspect smollm2-135m-instruct",
            "  pollux inspect --json ~/notes.kb"
        })
final class InspectCommand extends PolluxCommand {

    /** How many documents a list for people shows. */
    private static final int MOST_LISTED = 100;

    @Parameters(
            paramLabel = "PATH",
            description =
                    "A GGUF file, a Hugging Face folder, an exported folder, a ready-made ONNX folder or one of its"
                            + " .onnx files, a LoRA adapter, a knowledge base, hf:owner/name, or the name of an embedded"
                            + " model.")
    private String path = "";

    @Option(
            names = "--embedder",
            order = 3,
            paramLabel = "FOLDER",
            description = "The encoder that the knowledge base was made with. Default: all-MiniLM-L6-v2, embedded.")
    private @Nullable Path embedder;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        Path found = ModelOptions.locate(path, this, resources);
        Report report;
        if (Files.isRegularFile(found.resolve(DecoderManifest.FILE))) {
            report = ModelInspection.export(found);
        } else if (Files.isDirectory(found.resolve("index"))) {
            report = knowledge(found);
        } else if (Files.isRegularFile(found.resolve("adapter_config.json"))) {
            report = ModelInspection.adapter(found);
        } else if (isEncoder(found)) {
            report = ModelInspection.encoder(found);
        } else {
            EngineOptions options =
                    EngineOptions.builder().threads(resources.threads()).build();
            report = OnnxFolder.find(found)
                    .map(ModelInspection::onnx)
                    .orElseGet(() -> ModelInspection.checkpoint(found, options));
        }
        report.print(this);
        return ExitCode.OK;
    }

    /** Decoders' classes can be read as encoders too, but that is not what most are for. */
    private static boolean isEncoder(Path folder) {
        return EncoderExport.isKnown(folder)
                && !DecoderExport.architectures().contains(EncoderExport.architecture(folder));
    }

    private Report knowledge(Path folder) {
        try (Embedder open = embedder == null ? OnnxEmbedder.bundled() : OnnxEmbedder.open(embedder);
                KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder, open)) {
            KnowledgeStats stats = knowledge.stats();
            List<KnownDocument> documents = knowledge.documents().stream()
                    .sorted(Comparator.comparing(KnownDocument::source).thenComparing(KnownDocument::id))
                    .toList();
            Report report = new Report()
                    .add("kind", "knowledge")
                    .add("path", folder.toString())
                    .add("sources", stats.sources())
                    .add("documentCount", stats.documents(), "")
                    .text("documents", Texts.count(stats.documents()))
                    .add("passages", stats.passages(), Texts.count(stats.passages()))
                    .add("bytes", stats.bytesOnDisk(), Texts.bytes(stats.bytesOnDisk()))
                    .add("embedder", stats.embedder())
                    .add("fingerprint", stats.fingerprint())
                    .add("dimension", stats.dimension())
                    .add("lastCommit", stats.lastCommit().toString())
                    .add(
                            "documents",
                            documents.stream().map(InspectCommand::shape).toList(),
                            "");
            list(report, documents);
            return report;
        }
    }

    private static void list(Report report, List<KnownDocument> documents) {
        String source = "";
        for (KnownDocument document : documents.subList(0, Math.min(MOST_LISTED, documents.size()))) {
            if (!document.source().equals(source)) {
                source = document.source();
                report.line(source);
            }
            report.line("  " + document.id() + ": " + Texts.count(document.passages()) + " passages, "
                    + Texts.count(document.characters()) + " characters");
        }
        if (documents.size() > MOST_LISTED) {
            report.line("  … and " + Texts.count(documents.size() - MOST_LISTED) + " more; --json lists them all");
        }
    }

    private static Map<String, Object> shape(KnownDocument document) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("source", document.source());
        json.put("id", document.id());
        json.put("mediaType", document.mediaType());
        json.put("passages", document.passages());
        json.put("characters", document.characters());
        json.put("hash", document.hash());
        return json;
    }
}
