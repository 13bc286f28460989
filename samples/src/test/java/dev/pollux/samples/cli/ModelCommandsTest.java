package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands around a language model, with the embedded one. */
@NoLeaks
class ModelCommandsTest {

    private static final String NAME = "smollm2-135m-instruct";
    private static final String NL = System.lineSeparator();
    private static final GenerationOptions SHORT =
            GenerationOptions.builder().maxTokens(12).build();

    private static Generation raw;
    private static Generation chat;

    @TempDir
    Path temp;

    /** What the library says, for the command line to say the same. */
    @BeforeAll
    static void ask() {
        try (OnnxGenerator generator =
                OnnxGenerator.open(EmbeddedModel.named(NAME).unpack().run())) {
            raw = generator.generate(Prompt.text("The sea is"), SHORT);
            chat = generator.generate(Prompt.chat(Message.system("Be brief."), Message.user("Name a colour.")), SHORT);
        }
    }

    @Test
    void generateWritesWhatTheModelWrites() {
        Run run = Run.of("generate", "--raw", "--temperature", "0", "--max-tokens", "12", "The sea is");

        assertThat(run).isEqualTo(new Run(ExitCode.OK, raw.text() + NL, ""));
    }

    @Test
    void generateReadsItsPromptFromStandardInputOrAFile() throws IOException {
        Path file = Files.writeString(temp.resolve("prompt.txt"), "The sea is");

        assertThat(Run.reading("The sea is", "generate", "--raw", "--temperature", "0", "--max-tokens", "12", "-")
                        .out())
                .isEqualTo(raw.text() + NL);
        assertThat(Run.of("generate", "--raw", "--temperature", "0", "--max-tokens", "12", "--file", file.toString())
                        .out())
                .isEqualTo(raw.text() + NL);
    }

    @Test
    void anAdapterIsAddedWithTheScaleThatIsSaid() {
        float[] a = new float[2 * 576];
        float[] b = new float[576 * 2];
        java.util.Arrays.fill(a, 1f);
        b[7] = 50;
        Path adapter = new GgufBuilder()
                .put("general.type", "adapter")
                .put("general.architecture", "llama")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 2f)
                .floats("blk.3.attn_output.weight.lora_a", a, 2, 576)
                .floats("blk.3.attn_output.weight.lora_b", b, 576, 2)
                .write(temp.resolve("loud.gguf"));
        String[] command = {"generate", "--raw", "--temperature", "0", "--max-tokens", "12", "The sea is", "--adapter"};

        assertThat(Run.of(with(command, adapter + "=0")).out()).isEqualTo(raw.text() + NL);
        Run loud = Run.of(with(command, adapter.toString()));
        assertThat(loud.code()).as(loud.err()).isEqualTo(ExitCode.OK);
        assertThat(loud.out()).isNotEqualTo(raw.text() + NL);
        Run none = Run.of(with(command, temp.resolve("none").toString()));
        assertThat(none.code()).isNotEqualTo(ExitCode.OK);
        assertThat(none.err()).contains("There is no adapter at " + temp.resolve("none"));
    }

    private static String[] with(String[] command, String last) {
        String[] all = java.util.Arrays.copyOf(command, command.length + 1);
        all[command.length] = last;
        return all;
    }

    @Test
    void generateAsJsonHasEveryDocumentedKey() {
        Run run = Run.of(
                "generate",
                "--json",
                "--temperature",
                "0",
                "--system",
                "Be brief.",
                "--max-tokens",
                "12",
                "Name a colour.");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode json = run.json();
        assertThat(json.propertyNames()).containsExactly("text", "reasoning", "finish", "usage");
        assertThat(json.path("text").asString()).isEqualTo(chat.text());
        assertThat(json.path("finish").asString()).isEqualTo(JsonShapes.name(chat.finish()));
        assertThat(json.path("usage").propertyNames())
                .containsExactly(
                        "promptTokens",
                        "cachedTokens",
                        "completionTokens",
                        "draftedTokens",
                        "acceptedTokens",
                        "loadMillis",
                        "prefillMillis",
                        "decodeMillis");
        assertThat(json.path("usage").path("promptTokens").asInt())
                .isEqualTo(chat.usage().promptTokens());
        assertThat(json.path("usage").path("completionTokens").asInt())
                .isEqualTo(chat.usage().completionTokens());
    }

    @Test
    void withoutOptionsTheModelsSamplingIsUsedAndASeedRepeatsIt() {
        String[] command = {"generate", "--raw", "--max-tokens", "12", "--seed", "11", "The sea is"};
        String drawn;
        try (OnnxGenerator generator =
                OnnxGenerator.open(EmbeddedModel.named(NAME).unpack().run())) {
            drawn = generator
                    .generate(
                            Prompt.text("The sea is"),
                            GenerationOptions.SAMPLED.toBuilder()
                                    .maxTokens(12)
                                    .seed(11)
                                    .build())
                    .text();
        }

        assertThat(Run.of(command).out())
                .isEqualTo(drawn + NL)
                .isEqualTo(Run.of(command).out());
    }

    @Test
    void rawTextIsContinuedTheSameWayEachTimeUnlessASeedSaysOtherwise() {
        String[] command = {"generate", "--raw", "--max-tokens", "12", "The sea is"};
        String drawn = Run.of(command).out();

        assertThat(Run.of(command).out()).isEqualTo(drawn);
        assertThat(Run.of("generate", "--raw", "--max-tokens", "12", "--seed", "0", "The sea is")
                        .out())
                .isEqualTo(drawn);
        assertThat(Run.of("generate", "--raw", "--max-tokens", "12", "--seed", "11", "The sea is")
                        .out())
                .isNotEqualTo(drawn);
    }

    @Test
    void anInterruptedGenerationShowsWhatItHas() {
        CommandLine commands = Run.commands("");
        Pollux pollux = commands.getCommand();
        StringWriter interrupting = new StringWriter() {
            @Override
            public void write(String text, int from, int length) {
                super.write(text, from, length);
                pollux.interruption().interrupt();
            }
        };

        Run run = Run.writing(
                commands, interrupting, "generate", "--raw", "--temperature", "0", "--max-tokens", "500", "The sea is");

        assertThat(run.code()).isEqualTo(ExitCode.INTERRUPTED);
        assertThat(run.err()).isEmpty();
        assertThat(raw.text()).startsWith(run.out().stripTrailing());
        assertThat(run.out()).isNotBlank();
    }

    @Test
    void aReaderWhoLeavesIsNoError() {
        OutputStream gone = new StandardOutput(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        });

        Run run = Run.writing(
                Run.commands(""),
                new OutputStreamWriter(gone, StandardCharsets.UTF_8),
                "generate",
                "--raw",
                "--max-tokens",
                "500",
                "The sea is");

        assertThat(run.code()).isEqualTo(ExitCode.PIPE);
        assertThat(run.err()).isEmpty();
    }

    @Test
    void chatWithoutDocumentsRemembersItsTurnsUntilReset() {
        Run run = Run.reading(
                "Name a colour.\n/nonsense\nAnother.\n/reset\nName a colour.\n",
                "chat",
                "--json",
                "--temperature",
                "0",
                "--system",
                "Be brief.",
                "--max-tokens",
                "12");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err())
                .isEqualTo("pollux: there is no /nonsense here; 'pollux chat --help' says what there is" + NL);
        JsonNode turns = run.json().path("turns");
        assertThat(turns.size()).isEqualTo(3);
        assertThat(turns.path(0).path("text").asString()).isEqualTo(chat.text());
        int first = turns.path(0).path("usage").path("promptTokens").asInt();
        assertThat(turns.path(1).path("usage").path("promptTokens").asInt()).isGreaterThan(first);
        assertThat(turns.path(2).path("usage").path("promptTokens").asInt()).isEqualTo(first);
        assertThat(turns.path(2).path("text").asString()).isEqualTo(chat.text());
    }

    @Test
    void exportKeepsWhatItsPreviewPromises() throws IOException {
        Path target = temp.resolve("out");
        Run preview = Run.of("export", "--json", "--dry-run", NAME, target.toString());
        Run half = Run.of("export", "--json", "--dry-run", "--kv-cache", "float16", "--whole-cache", NAME, "half");
        assertThat(half.json().path("bytes")).isEqualTo(preview.json().path("bytes"));
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).isEmpty();
        }
        Run export = Run.of("export", "--json", "--quiet", NAME, target.toString());

        assertThat(export.code()).as(export.err()).isEqualTo(ExitCode.OK);
        assertThat(preview.json().path("dryRun").asBoolean()).isTrue();
        assertThat(export.json().path("dryRun").asBoolean()).isFalse();
        assertThat(export.json().propertyNames())
                .containsExactly(
                        "source", "target", "dryRun", "weights", "bytes", "matrices", "notices", "elapsedMillis");
        for (String same : new String[] {"source", "target", "weights", "bytes", "matrices", "notices"}) {
            assertThat(preview.json().path(same)).isEqualTo(export.json().path(same));
        }
        assertThat(Files.size(target.resolve("model.onnx.data")))
                .isEqualTo(export.json().path("bytes").asLong());

        JsonNode inspected = Run.of("inspect", "--json", target.toString()).json();
        assertThat(inspected.path("kind").asString()).isEqualTo("export");
        assertThat(inspected.path("provenance").path("matrices"))
                .isEqualTo(export.json().path("matrices"));
        assertThat(Run.of(
                                "generate",
                                "--model",
                                target.toString(),
                                "--raw",
                                "--temperature",
                                "0",
                                "--max-tokens",
                                "12",
                                "The sea is")
                        .out())
                .isEqualTo(raw.text() + NL);
        assertThat(Run.of("export", NAME, target.toString()))
                .isEqualTo(new Run(
                        ExitCode.ERROR,
                        "",
                        "pollux: " + target + " must not exist; choose another folder or delete it" + NL));
    }

    @Test
    void inspectDescribesACheckpoint() {
        Run run = Run.of("inspect", "--json", NAME);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode json = run.json();
        assertThat(json.path("kind").asString()).isEqualTo("checkpoint");
        assertThat(json.path("format").asString()).isEqualTo("gguf");
        assertThat(json.path("architecture").asString()).isEqualTo("LlamaForCausalLM");
        assertThat(json.path("chatTemplate").asBoolean()).isTrue();
        assertThat(json.path("license").asString()).isEqualTo("apache-2.0");
        long parameters = 0;
        for (JsonNode type : json.path("types")) {
            parameters += type.path("parameters").asLong();
        }
        assertThat(json.path("parameters").asLong()).isEqualTo(parameters).isGreaterThan(100_000_000);
        assertThat(json.path("quantization").asString()).isEqualTo("Q4_1");
        assertThat(json.path("uses").toString()).isEqualTo("[\"generate\",\"chat\",\"adapters\",\"merge\",\"export\"]");
        JsonNode estimates = json.path("estimates");
        assertThat(estimates.path("cacheBytesPerToken").asInt()).isEqualTo(30 * 2 * 3 * 64 * Float.BYTES);
        assertThat(estimates.path("bytesAtFullContext").asLong())
                .isEqualTo(estimates.path("weightBytes").asLong() + 8192 * 46_080L);
        assertThat(estimates.path("decodeTokensPerSecond").asDouble()).isPositive();
        assertThat(estimates.path("prefillTokensPerSecond").asDouble()).isPositive();
        assertThat(Run.of("inspect", NAME).out())
                .contains("uses                  generate, chat, adapters, merge, export" + NL)
                .contains("architecture          LlamaForCausalLM" + NL)
                .contains("chat template         yes" + NL);
    }

    @Test
    void inspectNamesMergingWhereTheMergerTakesTheFile() {
        for (String architecture : List.of("llama", "gemma")) { // the second is exported, but not merged from a file
            GgufBuilder file = new GgufBuilder().put("general.architecture", architecture);
            Map.of("embedding_length", 8, "block_count", 1, "attention.head_count", 2, "attention.head_count_kv", 1)
                    .forEach((key, value) -> file.put(architecture + "." + key, value));
            file.put(architecture + ".feed_forward_length", 6).put(architecture + ".context_length", 16);
            file.floats("token_embd.weight", new float[24], 3, 8).floats("output_norm.weight", new float[8], 8);
            for (String norm : List.of("attn_norm", "ffn_norm")) {
                file.floats("blk.0." + norm + ".weight", new float[8], 8);
            }
            for (String square : List.of("attn_q", "attn_output")) {
                file.floats("blk.0." + square + ".weight", new float[64], 8, 8);
            }
            for (String narrow : List.of("attn_k", "attn_v")) {
                file.floats("blk.0." + narrow + ".weight", new float[32], 4, 8);
            }
            for (String inner : List.of("ffn_gate", "ffn_up")) {
                file.floats("blk.0." + inner + ".weight", new float[48], 6, 8);
            }
            file.floats("blk.0.ffn_down.weight", new float[48], 8, 6);
            Path gguf = file.write(temp.resolve("small-" + architecture + "+1.gguf"));
            Run run = Run.of("inspect", "--json", gguf.toString());
            assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
            assertThat(run.json().path("uses").toString().contains("merge"))
                    .as(architecture)
                    .isEqualTo(architecture.equals("llama"));
        }
    }

    @Test
    void inspectTellsAnEncoderFromADecoderAndSaysWhatStandsInTheWay() throws IOException {
        Path encoder = temp.resolve("encoder");
        Path strange = Files.createDirectories(temp.resolve("strange"));
        TinyCrossEncoder.write(encoder);
        TinyDecoder.of("LamaForCausalLM", "lama", 1).write(strange);

        JsonNode cross = Run.of("inspect", "--json", encoder.toString()).json();
        assertThat(cross.path("kind").asString()).isEqualTo("encoder");
        assertThat(cross.path("uses").toString()).isEqualTo("[\"rerank\"]");
        JsonNode unknown = Run.of("inspect", "--json", strange.toString()).json();
        assertThat(unknown.path("uses").toString()).isEqualTo("[\"merge\"]");
        assertThat(unknown.path("obstacle").asString())
                .contains("LamaForCausalLM")
                .contains("LlamaForCausalLM");
        assertThat(unknown.has("estimates")).isFalse();
        JsonNode adapter = Run.of(
                        "inspect",
                        "--json",
                        TinyDecoder.llama(1)
                                .writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS)
                                .toString())
                .json();
        assertThat(adapter.path("kind").asString()).isEqualTo("adapter");
        assertThat(adapter.path("ranks").toString()).isEqualTo("[4]");
    }

    @Test
    void modelsListsTheEmbeddedOnes() {
        assertThat(Run.of("models").out().lines())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith(NAME + "  ").endsWith(" (default)"),
                        line -> assertThat(line).startsWith(NAME + "-reading  ").endsWith(", adapter of " + NAME));
        JsonNode model = Run.of("models", "--json").json().path("models").path(0);
        assertThat(model.propertyNames())
                .containsExactly("name", "title", "file", "bytes", "sha256", "license", "base");
    }

    @Test
    void aModelThatIsNotThereIsNamed() {
        assertThat(Run.of("generate", "--model", "no/such.gguf", "Hello"))
                .isEqualTo(new Run(
                        ExitCode.ERROR,
                        "",
                        "pollux: There is no model 'no/such.gguf': no file or folder of that path, and among the"
                                + " embedded models"
                                + " only"
                                + " [" + NAME + ", " + NAME
                                + "-reading]; give a GGUF file, a Hugging Face folder, an exported"
                                + " folder or hf:owner/name" + NL));
    }

    @Test
    void mistakesOnTheCommandLineAreTold() {
        assertThat(Run.of("generate", "--temperature", "-1", "Hello").err())
                .isEqualTo("pollux: --temperature must be in [0, 100] but was -1.0" + NL
                        + "Try 'pollux generate --help'." + NL);
        assertThat(Run.of("generate", "--raw", "--system", "x", "Hello"))
                .isEqualTo(new Run(
                        ExitCode.USAGE,
                        "",
                        "pollux: --system and --raw exclude each other: a raw prompt has no roles" + NL
                                + "Try 'pollux generate --help'." + NL));
        assertThat(Run.of("export", "--weights", "3bit", NAME, "out").err())
                .isEqualTo("pollux: --weights must be exact, float, 8bit or 4bit but was '3bit'" + NL
                        + "Try 'pollux export --help'." + NL);
        assertThat(Run.of().code()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void whyAChatTemplateFailsIsSaid(@TempDir Path models) throws IOException {
        Path model = TinyDecoder.llama(1).write(models.resolve("tiny"));
        assertThat(Run.of("generate", "--quiet", "--model", model.toString(), "Hello")
                        .err())
                .isEqualTo("pollux: tiny has no chat template; give it text to go on with by --raw, or use a model made"
                        + " for conversations" + NL);
        Files.writeString(model.resolve("chat_template.jinja"), "{% for m in messages %}");
        for (String command : List.of("generate", "chat")) {
            Run run = Run.reading("Hello\n", command, "--quiet", "--model", model.toString());
            assertThat(run.code()).isEqualTo(1);
            assertThat(run.err()).startsWith("pollux: The chat template of tiny fails: Chat template line 1");
        }
    }
}
