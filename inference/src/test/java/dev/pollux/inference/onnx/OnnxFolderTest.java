package dev.pollux.inference.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.pollux.MalformedFileException;
import dev.pollux.ModelExecutionException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.engine.PromptEncoder;
import dev.pollux.inference.graph.GraphOutline;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which ready-made folders are known, which variant is taken, and what those that are not known are told. */
@NoLeaks
class OnnxFolderTest {

    private static final String CONFIG = "{\"architectures\": [\"LlamaForCausalLM\"], \"vocab_size\": 9,"
            + " \"max_position_embeddings\": 32, \"eos_token_id\": [3, 8, 99], \"num_attention_heads\": 2,"
            + " \"hidden_size\": 8}";
    private static final int F = ReadyMade.FLOAT;
    private static final int I = ReadyMade.INT64;

    @TempDir
    Path temp;

    /** A graph of one layer, as far as its inputs and outputs go; it has no node, so that no runtime takes it. */
    private static GraphProto.Builder decoder() {
        return GraphProto.newBuilder()
                .setName("any")
                .addInput(ReadyMade.value("input_ids", I, -1, -1))
                .addInput(ReadyMade.value("attention_mask", I, -1, -1))
                .addInput(ReadyMade.value("past_key_values.0.key", F, -1, 2, -1, 4))
                .addInput(ReadyMade.value("past_key_values.0.value", F, -1, 2, -1, 4))
                .addOutput(ReadyMade.value("logits", F, -1, -1, 9))
                .addOutput(ReadyMade.value("present.0.key", F, -1, 2, -1, 4))
                .addOutput(ReadyMade.value("present.0.value", F, -1, 2, -1, 4));
    }

    private Path folder(GraphProto.Builder graph, String... files) throws IOException {
        Path folder = Files.createTempDirectory(temp, "folder");
        Files.writeString(folder.resolve("config.json"), CONFIG);
        for (String file : files) {
            write(folder.resolve(file), graph);
        }
        return folder;
    }

    private static void write(Path file, GraphProto.Builder graph) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(
                file,
                ModelProto.newBuilder()
                        .setIrVersion(8)
                        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(18))
                        .setGraph(graph)
                        .build()
                        .toByteArray());
    }

    private Path genai(String config) throws IOException {
        Path folder = Files.createTempDirectory(temp, "genai");
        write(folder.resolve("model.onnx"), decoder());
        Files.writeString(folder.resolve("genai_config.json"), config);
        return folder;
    }

    private static String chosen(Path path) {
        return OnnxFolder.find(path).orElseThrow().file().getFileName().toString();
    }

    /** The rule is that of checkpoints: ids named anywhere, tokens spelled, and known turn ends of the vocabulary. */
    @Test
    void aTurnEndsWithWhatTheFolderOfEitherKindNamesAndSpellsAndWithKnownTurnEnds() throws IOException {
        Path optimum = folder(decoder(), "onnx/model.onnx");
        Path genai = genai("{\"model\": {\"vocab_size\": 9, \"eos_token_id\": 3, \"context_length\": 32,"
                + " \"decoder\": {\"filename\": \"model.onnx\"}}}");
        for (Path folder : List.of(optimum, genai)) {
            Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [8, 99]}");
            Files.writeString(folder.resolve("special_tokens_map.json"), "{\"eos_token\": \"b\"}");
            Files.writeString(folder.resolve("tokenizer.json"), """
                {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "<|im_end|>": 2}, "merges": []}}\
                """);
            DecoderGraph graph = OnnxFolder.find(folder).orElseThrow().graph();
            try (PromptEncoder prompts = PromptEncoder.open(graph)) {
                assertThat(prompts.endTokens()).containsExactly(1, 2, 3, 8);
            }
        }
    }

    @Test
    void whatTheFolderSaysIsKnown() throws IOException {
        OnnxFolder found = OnnxFolder.find(folder(decoder(), "onnx/model.onnx")).orElseThrow();
        assertThat(found.kind()).isEqualTo(OnnxFolder.Kind.OPTIMUM);
        assertThat(found.manifest().architecture()).isEqualTo("LlamaForCausalLM");
        assertThat(found.manifest().contextLength()).isEqualTo(32);
        assertThat(found.manifest().vocabularySize()).isEqualTo(9);
        assertThat(found.manifest().endTokens()).containsExactly(3, 8);
        assertThat(found.manifest().states()).hasSize(2);
        assertThat(found.manifest().states().get(0).shape()).containsExactly(1, 2, -1, 4);
        assertThat(found.manifest().isBatched()).isFalse();
        assertThat(found.manifest().provenance())
                .containsEntry("source", "optimum")
                .containsEntry("graph", "model.onnx")
                .containsEntry("cache", "copied by every step")
                .containsEntry("cacheType", "float");
    }

    @Test
    void whatIsElsewhereIsNoReadyMadeFolder() throws IOException {
        Path checkpoint = folder(decoder(), "onnx/model.onnx");
        Files.write(checkpoint.resolve("model.safetensors"), new byte[8]);
        Path gguf = folder(decoder(), "onnx/model.onnx");
        Files.write(gguf.resolve("model.gguf"), new byte[8]);
        Path export = folder(decoder(), "model.onnx");
        Files.writeString(export.resolve("pollux.json"), "{}");
        assertThat(OnnxFolder.find(checkpoint)).isEmpty();
        assertThat(OnnxFolder.find(gguf)).isEmpty();
        assertThat(OnnxFolder.find(export)).isEmpty();
        assertThat(OnnxFolder.find(folder(decoder()))).isEmpty();
        assertThat(OnnxFolder.find(temp.resolve("nothing"))).isEmpty();
    }

    @Test
    void theMostExactVariantIsTakenUnlessAPathSaysOtherwise() throws IOException {
        Path all = folder(decoder(), "onnx/model_q4.onnx", "onnx/model.onnx", "onnx/model_fp16.onnx");
        assertThat(chosen(all)).isEqualTo("model.onnx");
        assertThat(chosen(all.resolve("onnx/model_q4.onnx"))).isEqualTo("model_q4.onnx");
        assertThat(OnnxFolder.find(all).orElseThrow().variants())
                .extracting(file -> file.getFileName().toString())
                .containsExactly("model.onnx", "model_fp16.onnx", "model_q4.onnx");
        assertThat(chosen(folder(decoder(), "onnx/model_q4f16.onnx", "onnx/model_quantized.onnx")))
                .isEqualTo("model_quantized.onnx");
        assertThat(chosen(folder(decoder(), "onnx/model_bnb4.onnx", "onnx/model_q4.onnx")))
                .isEqualTo("model_q4.onnx");
        assertThat(chosen(folder(decoder(), "mine.onnx"))).isEqualTo("mine.onnx");
        assertThat(chosen(all.resolve("onnx"))).isEqualTo("model.onnx");
    }

    @Test
    void aVariantThatIsNotThereIsAnsweredWithThoseThatAre() throws IOException {
        Path folder = folder(decoder(), "onnx/model.onnx", "onnx/model_q4.onnx");
        Path file = folder.resolve("onnx/model_q8.onnx");
        assertThatThrownBy(() -> OnnxGenerator.open(file))
                .isInstanceOf(StorageException.class)
                .hasMessage(file + " does not exist; " + folder.resolve("onnx")
                        + " holds [model.onnx, model_q4.onnx]; give the path of one");
        Path strange = folder(decoder(), "a.onnx", "b.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(strange))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(strange + " holds several ONNX files, [a.onnx, b.onnx]; give the path of one");
    }

    @Test
    void sizesThatTheGraphLeavesOpenComeFromTheConfiguration() throws IOException {
        GraphProto.Builder open = decoder();
        open.setInput(2, ReadyMade.value("past_key_values.0.key", F, -1, -1, -1, -1));
        open.setOutput(0, ReadyMade.value("logits", F, -1, -1, -1));
        OnnxFolder found = OnnxFolder.find(folder(open, "model.onnx")).orElseThrow();
        assertThat(found.manifest().states().get(0).shape()).containsExactly(1, 2, -1, 4);
        assertThat(found.manifest().isBatched()).isFalse();
        assertThat(found.manifest().vocabularySize()).isEqualTo(9);
        Path silent = folder(open, "model.onnx");
        Files.writeString(silent.resolve("config.json"), "{}");
        assertThatThrownBy(() -> OnnxFolder.find(silent))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(silent.resolve("model.onnx")
                        + ": the vocabulary must be in [1, 16777216] but neither the graph nor "
                        + silent.resolve("config.json") + " gives such a size");
    }

    @Test
    void whatIsNoDecoderIsSaid() throws IOException {
        GraphProto.Builder encoder = GraphProto.newBuilder()
                .addInput(ReadyMade.value("input_ids", I, -1, -1))
                .addInput(ReadyMade.value("token_type_ids", I, -1, -1))
                .addOutput(ReadyMade.value("last_hidden_state", F, -1, -1, 8));
        refused(
                encoder,
                "the input 'token_type_ids' is not supported: it belongs to an encoder; open that with"
                        + " OnnxEmbedder or OnnxReranker");
        refused(
                with("inputs_embeds", F, -1, -1, 8),
                "the input 'inputs_embeds' is not supported: it holds embeddings"
                        + " that another graph makes, as models that see or hear do");
        refused(
                with("encoder_hidden_states", F, -1, -1, 8),
                "the input 'encoder_hidden_states' is not supported: it"
                        + " belongs to a model that has an encoder, sees or hears");
        refused(
                with("past_conv.0", F, -1, 8, 3),
                "the input 'past_conv.0' is not supported: it is a recurrent state;"
                        + " open the checkpoint itself, whose export carries its states");
        refused(
                with("past_key_values.0.conv", F, -1, 8, 3),
                "the input 'past_key_values.0.conv' is not supported: it is a"
                        + " recurrent state; open the checkpoint itself, whose export carries its states");
        refused(
                with("past_0", F, 2, -1, 2, -1, 4),
                "the input 'past_0' is not supported: the cache must have a key and a" + " value for each layer");
        refused(with("beam_idx", I, -1), "the input 'beam_idx' is not supported: a decoder has no such input");
    }

    private static GraphProto.Builder with(String input, int type, int... dims) {
        return decoder().addInput(ReadyMade.value(input, type, dims));
    }

    private void refused(GraphProto.Builder graph, String message) throws IOException {
        Path folder = folder(graph, "model.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder.resolve("model.onnx") + ": "
                        + message.replace(
                                "CONFIG", folder.resolve("config.json").toString()));
    }

    @Test
    void aGraphWithoutACacheIsToldHowToGetOne() throws IOException {
        GraphProto.Builder graph = decoder();
        List.of(3, 2).forEach(graph::removeInput);
        Path folder = folder(graph, "model.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder.resolve("model.onnx") + " has no cache of keys and values among its inputs,"
                        + " ['input_ids', 'attention_mask']; it is not a decoder, or was exported without its cache"
                        + " (task text-generation-with-past)");
    }

    @Test
    void anotherLayoutOfTheCacheIsRefused() throws IOException {
        GraphProto.Builder fixed = decoder();
        fixed.setInput(2, ReadyMade.value("past_key_values.0.key", F, -1, 2, 128, 4));
        refused(
                fixed,
                "'past_key_values.0.key' must be floats of the shape [batch, heads, positions, width] with any"
                        + " number of positions but is float [-1, 2, 128, 4]");
        GraphProto.Builder flat = decoder();
        flat.setInput(2, ReadyMade.value("past_key_values.0.key", F, -1, 4, -1));
        refused(
                flat,
                "'past_key_values.0.key' must be floats of the shape [batch, heads, positions, width] with any"
                        + " number of positions but is float [-1, 4, -1]");
        GraphProto.Builder bytes = decoder();
        bytes.setInput(2, ReadyMade.value("past_key_values.0.key", 3, -1, 2, -1, 4));
        refused(
                bytes,
                "'past_key_values.0.key' must be float, float16, bfloat16, int32 or int64 but is of ONNX type 3"
                        + " [-1, 2, -1, 4]");
        GraphProto.Builder mixed = decoder();
        mixed.setOutput(1, ReadyMade.value("present.0.key", 10, -1, 2, -1, 4));
        refused(
                mixed,
                "'present.0.key' must be of the same type as every other key and value but is float16"
                        + " [-1, 2, -1, 4]");
        GraphProto.Builder huge = decoder();
        huge.setInput(2, ReadyMade.value("past_key_values.0.key", F, -1, 1 << 30, -1, 4));
        refused(
                huge,
                "the number of heads of 'past_key_values.0.key' must be in [1, 65536] but neither the graph nor "
                        + "CONFIG gives such a size");
        GraphProto.Builder half = decoder();
        half.removeInput(3);
        refused(half, "layer 0 must have a key and a value but has one");
    }

    @Test
    void aMissingOutputIsNamed() throws IOException {
        GraphProto.Builder graph = decoder();
        graph.removeOutput(2);
        Path folder = folder(graph, "model.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder.resolve("model.onnx") + " has no output 'present.0.value' but ['logits',"
                        + " 'present.0.key']; it is not a decoder");
    }

    @Test
    void pathsOutOfTheFolderAreRefused() throws IOException {
        for (String name : List.of("../model.onnx", "/etc/passwd", "", ".", "a/../../model.onnx")) {
            Path folder = genai("{\"model\": {\"decoder\": {\"filename\": \"" + name + "\"}}}");
            assertThatThrownBy(() -> OnnxFolder.find(folder))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(folder.resolve("genai_config.json") + " must name files in its own folder but names '"
                            + name + "'");
        }
        for (String location : List.of("../secret", "/etc/passwd", "")) {
            Path folder = folder(decoder().addInitializer(external(location)), "model.onnx");
            assertThatThrownBy(() -> OnnxFolder.find(folder))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(folder.resolve("model.onnx") + " must name files in its own folder but names '"
                            + location + "'");
        }
    }

    @Test
    void externalDataInABranchIsSeenToo() throws IOException {
        GraphProto.Builder branch = GraphProto.newBuilder().addInitializer(external("../secret"));
        NodeProto.Builder choice = NodeProto.newBuilder().setOpType("If");
        choice.addAttributeBuilder().setName("then_branch").setG(branch);
        Path folder = folder(decoder().addNode(choice), "model.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder.resolve("model.onnx") + " must name files in its own folder but names '../secret'");
    }

    private static TensorProto external(String location) {
        return TensorProto.newBuilder()
                .setName("w")
                .setDataType(F)
                .addDims(4)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(
                        StringStringEntryProto.newBuilder().setKey("location").setValue(location))
                .build();
    }

    @Test
    void missingExternalDataIsNamed() throws IOException {
        Path folder = folder(decoder().addInitializer(external("model.onnx_data")), "model.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(StorageException.class)
                .hasMessage(folder.resolve("model.onnx")
                        + " needs model.onnx_data in its folder, which does not exist; fetch that file too");
    }

    @Test
    void theConfigurationOfGenaiIsChecked() throws IOException {
        told(
                "{\"model\": {\"decoder\": {\"filename\": \"m.onnx\"}}}",
                "genai_config.json names m.onnx, which does not" + " exist; the folder holds [model.onnx]");
        told("{}", "genai_config.json must have model.decoder with its file and names");
        told("[1", "genai_config.json is not JSON");
        told(
                "{\"model\": {\"encoder\": {}, \"decoder\": {\"x\": 1}}}",
                "has a part 'encoder': only models that read and" + " write text with one decoder are supported");
        told(
                "{\"model\": {\"decoder\": {\"pipeline\": []}}}",
                "a decoder in several graphs ('pipeline') is not" + " supported; use a variant for CPU");
        told(
                "{\"model\": {\"decoder\": {\"inputs\": {\"past_names\": \"past_%d\"}}}}",
                "keys and values in one tensor" + " ('past_names') are not supported; export the model again");
        told(
                "{\"model\": {\"decoder\": {\"inputs\": {\"past_key_names\": \"past_%d_%s\"}}}}",
                "past_key_names must hold" + " one %d for the layer but was 'past_%d_%s'");
        told(
                "{\"model\": {\"context_length\": -4, \"decoder\": {\"x\": 1}}}",
                "context_length must be a whole number in" + " [1, 16777216] but was -4");
        told(
                "{\"model\": {\"vocab_size\": 1e300, \"decoder\": {\"x\": 1}}}",
                "vocab_size must be a whole number in [1," + " 16777216] but was 1e300");
        told(
                "{\"model\": {\"decoder\": {\"head_size\": \"x\"}}}",
                "head_size must be a whole number in [1, 16777216] but" + " was \"x\"");
    }

    private void told(String config, String message) throws IOException {
        Path folder = genai(config);
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(dev.pollux.PolluxException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining(message);
    }

    @Test
    void modelsWithAnEncoderAreRefusedByTheirConfiguration() throws IOException {
        Path folder = folder(decoder(), "onnx/decoder_model_merged.onnx");
        Files.writeString(folder.resolve("config.json"), "{\"is_encoder_decoder\": true}");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder.resolve("config.json") + ": models with an encoder and a decoder are not supported;"
                        + " use a decoder-only model");
        Path bare = folder(decoder(), "model.onnx");
        Files.delete(bare.resolve("config.json"));
        assertThatThrownBy(() -> OnnxFolder.find(bare))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(bare + " has neither config.json nor genai_config.json; it is not the folder of a model");
    }

    @Test
    void twoGraphsThatAreNoPairAreRefused() throws IOException {
        Path folder = folder(decoder(), "decoder_model.onnx", "decoder_with_past_model.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder.resolve("decoder_model.onnx")
                        + " and decoder_with_past_model.onnx must be a graph without a past and one with it");
        GraphProto.Builder first = decoder();
        List.of(3, 2).forEach(first::removeInput);
        first.setOutput(2, ReadyMade.value("present.1.value", F, -1, 2, -1, 4));
        write(folder.resolve("decoder_model.onnx"), first);
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        folder.resolve("decoder_model.onnx")
                                + " must give 'present.0.value' as decoder_with_past_model.onnx does; they do not belong together");
    }

    @Test
    void halfOfAPairIsNotEnough() throws IOException {
        Path folder = folder(decoder(), "decoder_with_past_model_q4.onnx");
        Path file = folder.resolve("decoder_with_past_model_q4.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(file))
                .isInstanceOf(StorageException.class)
                .hasMessage(
                        file + " is one of two graphs that take turns, but decoder_model_q4.onnx is not in its folder;"
                                + " fetch that file too");
        assertThat(chosen(folder(decoder(), "decoder_model.onnx"))).isEqualTo("decoder_model.onnx");
    }

    @Test
    void tablesChosenByTheLengthEndTheContext() throws IOException {
        GraphProto.Builder branch = GraphProto.newBuilder()
                .addInitializer(TensorProto.newBuilder()
                        .setName("cos")
                        .setDataType(F)
                        .addDims(12)
                        .addDims(2));
        NodeProto.Builder choice = NodeProto.newBuilder().setOpType("If");
        choice.addAttributeBuilder().setName("else_branch").setG(branch);
        Path folder = genai("{\"model\": {\"context_length\": 99, \"decoder\": {\"filename\": \"model.onnx\"}}}");
        write(folder.resolve("model.onnx"), decoder().addNode(choice));
        OnnxFolder found = OnnxFolder.find(folder).orElseThrow();
        assertThat(found.manifest().contextLength()).isEqualTo(12);
        Path said = folder(decoder(), "model.onnx");
        Files.writeString(
                said.resolve("config.json"),
                CONFIG.replace(
                        "}",
                        ", \"rope_scaling\": {\"type\": \"longrope\"},"
                                + " \"original_max_position_embeddings\": 20}"));
        assertThat(OnnxFolder.find(said).orElseThrow().manifest().contextLength())
                .isEqualTo(20);
    }

    @Test
    void theFusedOperatorKeepsItsCacheInPlaceUnlessAnotherReadsIt() throws IOException {
        NodeProto.Builder attention = NodeProto.newBuilder()
                .setOpType("GroupQueryAttention")
                .setDomain("com.microsoft")
                .addAllInput(List.of("q", "k", "v", "past_key_values.0.key", "past_key_values.0.value", "n", "t"))
                .addAllOutput(List.of("out", "present.0.key", "present.0.value"));
        OnnxFolder fused = OnnxFolder.find(folder(decoder().addNode(attention), "model.onnx"))
                .orElseThrow();
        assertThat(fused.manifest().provenance()).containsEntry("cache", "in place");
        NodeProto.Builder reader = NodeProto.newBuilder().setOpType("Shape").addInput("past_key_values.0.key");
        OnnxFolder shared = OnnxFolder.find(folder(decoder().addNode(attention).addNode(reader), "model.onnx"))
                .orElseThrow();
        assertThat(shared.manifest().provenance()).containsEntry("cache", "copied by every step");
    }

    @Test
    void whatTheRuntimeRefusesIsSaid() throws IOException {
        Path folder = folder(decoder(), "model.onnx");
        assertThatThrownBy(() -> DecoderModel.open(folder, EngineOptions.DEFAULTS))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessageStartingWith("Cannot load " + folder.resolve("model.onnx") + ": ");
    }

    @Test
    void damagedFilesGiveAnErrorAndNothingElse() throws IOException {
        GraphProto.Builder graph = decoder().addInitializer(external("model.onnx_data"));
        byte[] whole = ModelProto.newBuilder().setGraph(graph).build().toByteArray();
        long seed = 20;
        Random random = new Random(seed); // named in the failure below
        for (int round = 0; round < 2000; round++) {
            byte[] damaged = java.util.Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
            for (int i = 0; i < 3; i++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            Path file = Files.write(temp.resolve("damaged.onnx"), damaged);
            try {
                assertThat(GraphOutline.read(file).inputs()).as("seed %d", seed).isNotNull();
            } catch (MalformedFileException e) {
                assertThat(e).hasMessageStartingWith(file + " is not an ONNX model");
            }
        }
    }

    @Test
    void nestingWithoutAnEndIsRefused() throws IOException {
        GraphProto.Builder inner = GraphProto.newBuilder().setName("end");
        for (int depth = 0; depth < 60; depth++) {
            NodeProto.Builder node = NodeProto.newBuilder().setOpType("If");
            node.addAttributeBuilder().setName("then_branch").setG(inner);
            inner = GraphProto.newBuilder().addNode(node);
        }
        Path folder = folder(decoder().addAllNode(inner.getNodeList()), "model.onnx");
        assertThatThrownBy(() -> OnnxFolder.find(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder.resolve("model.onnx")
                        + " is not an ONNX model that can be read: graphs must be nested at most 32 deep");
    }
}
