package dev.pollux.inference.encoder.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.inference.graph.ActivationFunction;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with a checkpoint is said, and nothing is left behind. */
@NoLeaks
class EncoderExportErrorsTest {

    @TempDir
    private Path temp;

    private TinyCheckpoint bert() {
        return TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "");
    }

    private Path config() {
        return temp.resolve("model").resolve("config.json");
    }

    private void assertRefused(TinyCheckpoint checkpoint, Class<?> type, String message) throws IOException {
        Path target = temp.resolve("target");
        checkpoint.write();
        assertThatThrownBy(() -> EncoderExport.export(checkpoint.folder(), target, EncoderWeights.FLOAT)
                        .run())
                .isInstanceOf(type)
                .hasMessage(message);
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).containsExactly(checkpoint.folder());
        }
    }

    @Test
    void aMissingTensorIsNamed() throws IOException {
        assertRefused(
                bert().without("encoder.layer.1.attention.self.key.weight"),
                MalformedFileException.class,
                temp.resolve("model") + " has no tensor encoder.layer.1.attention.self.key.weight of shape [16, 16];"
                        + " it is incomplete, download it again");
        assertRefused(
                bert().without("embeddings.word_embeddings.weight"),
                MalformedFileException.class,
                temp.resolve("model") + " has no tensor embeddings.word_embeddings.weight of shape [16, 16]; it is"
                        + " incomplete, download it again");
        assertRefused(
                bert().json("architectures", "['BertForSequenceClassification']")
                        .linear("pooler.dense", 16, 16, true),
                MalformedFileException.class,
                temp.resolve("model") + " has no tensor classifier.weight; it is incomplete, download it again");
    }

    @Test
    void aTensorOfAnotherShapeIsNamed() throws IOException {
        assertRefused(
                bert().tensor("encoder.layer.0.intermediate.dense.weight", 24, 17),
                MalformedFileException.class,
                temp.resolve("model") + ": encoder.layer.0.intermediate.dense.weight must be of shape [24, 16] but is"
                        + " [24, 17]; the configuration and the weights do not belong together");
    }

    @Test
    void aSurplusTensorIsNamed() throws IOException {
        assertRefused(
                bert().tensor("encoder.layer.0.adapter.weight", 2, 2).tensor("encoder.layer.2.x", 1),
                UnsupportedModelException.class,
                temp.resolve("model") + ": the tensor encoder.layer.0.adapter.weight (and 1 more) does not belong to"
                        + " BertModel; the model is of another kind than it says");
        assertRefused(
                bert().linear("classifier", 2, 16, true).without("classifier.bias"),
                UnsupportedModelException.class,
                temp.resolve("model") + ": the tensor classifier.weight does not belong to BertModel; the model is of"
                        + " another kind than it says");
    }

    @Test
    void anUnknownArchitectureIsToldTheKnownOnesAndTheNearest() throws IOException {
        Set<String> stems = new TreeSet<>(Set.of(
                "Bert",
                "Camembert",
                "DebertaV2",
                "DistilBert",
                "Electra",
                "Gemma3Text",
                "MPNet",
                "ModernBert",
                "NomicBert",
                "Roberta",
                "XLMRoberta"));
        DecoderExport.architectures().forEach(name -> stems.add(name.replaceAll("(ForCausalLM|LMHeadModel)$", "")));
        String known = "; known are " + String.join(", ", stems)
                + ", each followed by one of Model, ForMaskedLM, ForPreTraining, ForCausalLM, ForSequenceClassification";
        assertRefused(
                bert().json("architectures", "['DebertaForSequenceClassification']"),
                UnsupportedModelException.class,
                config() + ": the architecture 'DebertaForSequenceClassification' is not known; the nearest is"
                        + " DebertaV2ForSequenceClassification" + known);
        assertRefused(
                bert().json("architectures", ""),
                UnsupportedModelException.class,
                config() + ": the architecture '' is not known; the nearest is BertModel" + known);
        TinyCheckpoint byType = bert().json("architectures", "").set("model_type", "bert");
        assertThat(EncoderExport.export(byType.write().folder(), temp.resolve("byType"), EncoderWeights.FLOAT)
                        .run())
                .matches(report -> report.architecture().equals("BertModel"));
    }

    @Test
    void whatTheConfigurationGetsWrongIsSaid() throws IOException {
        assertRefused(
                bert().json("hidden_size", "'wide'"),
                MalformedFileException.class,
                config() + ": hidden_size must be a whole number in [1, 16777216] but was \"wide\"");
        assertRefused(
                bert().set("num_attention_heads", 3),
                MalformedFileException.class,
                config() + ": hidden_size must be a multiple of num_attention_heads, 3, but was 16");
        assertRefused(
                bert().set("layer_norm_eps", 0),
                MalformedFileException.class,
                config() + ": layer_norm_eps must be a number greater than 0 but was 0");
        assertRefused(
                bert().set("position_embedding_type", "relative_key"),
                UnsupportedModelException.class,
                config() + ": position_embedding_type must be absolute but was relative_key");
        assertRefused(
                bert().set("hidden_act", "prelu"),
                UnsupportedModelException.class,
                temp.resolve("model") + ": the activation 'prelu' is not supported, only "
                        + ActivationFunction.names());
        assertRefused(
                bert().json("quantization_config", "{'quant_method':'gptq'}"),
                UnsupportedModelException.class,
                config() + ": quantized weights ('gptq') are not supported for encoders; use the original model");
        assertRefused(
                TinyCheckpoint.decoder(temp.resolve("model"), "LlamaModel")
                        .json("rope_parameters", "{'rope_type':'longrope'}"),
                MalformedFileException.class,
                config() + ": short_factor must hold 4 numbers above 0 but held []");
    }

    @Test
    void anExistingTargetIsNotTouched() throws IOException {
        Path target = Files.createDirectory(temp.resolve("there"));
        assertThatThrownBy(() -> EncoderExport.export(bert().write().folder(), target, EncoderWeights.FLOAT)
                        .run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(target + " must not exist; choose another folder or delete it");
    }

    @Test
    void aCancelledExportLeavesNothing() throws IOException {
        Path folder = bert().write().folder();
        Job<EncoderReport> job = EncoderExport.export(folder, temp.resolve("target"), EncoderWeights.FLOAT);
        List<Long> layers = new ArrayList<>();
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress && progress.unit().equals("layers")) {
                layers.add(progress.done());
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(layers).containsExactly(1L);
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).containsExactly(folder);
        }
    }

    @Test
    void theCacheKnowsACheckpointByItsContent() throws IOException {
        TinyCheckpoint checkpoint = bert().write();
        Path cache = temp.resolve("cache");
        Path first = EncoderExport.cached(checkpoint.folder(), EncoderWeights.FLOAT, cache, JobContext.NONE);
        Files.createFile(first.resolve("mark"));
        assertThat(EncoderExport.cached(checkpoint.folder(), EncoderWeights.FLOAT, cache, JobContext.NONE))
                .isEqualTo(first)
                .isDirectoryContaining(file -> file.endsWith("mark"));
        Path rounded = EncoderExport.cached(checkpoint.folder(), EncoderWeights.BITS_8, cache, JobContext.NONE);
        assertThat(rounded).isNotEqualTo(first);
        assertThat(rounded.resolve("model.onnx.data").toFile().length())
                .isLessThan(first.resolve("model.onnx.data").toFile().length());
        checkpoint.values("embeddings.LayerNorm.bias")[0] += 1;
        Path other = EncoderExport.cached(checkpoint.write().folder(), EncoderWeights.FLOAT, cache, JobContext.NONE);
        assertThat(other).isNotEqualTo(first).isDirectoryContaining(file -> file.endsWith("model.onnx"));
    }

    /** Any configuration is answered by one of the errors it should be answered by. */
    @Test
    void strangeConfigurationsAreAnsweredByTheirErrors() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> keys = List.of(
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "intermediate_size",
                "vocab_size",
                "max_position_embeddings",
                "head_dim",
                "num_key_value_heads",
                "layer_types",
                "sliding_window",
                "rope_parameters",
                "type_vocab_size",
                "hidden_act",
                "architectures");
        List<String> values = List.of(
                "0", "-1", "16777216", "1e30", "[]", "{}", "null", "true", "'x'", "[1]", "{'rope_theta':-1}", "3");
        List<String> architectures = List.of(
                "BertModel",
                "MPNetModel",
                "ModernBertModel",
                "NomicBertModel",
                "DebertaV2Model",
                "Qwen3Model",
                "Gemma3TextModel",
                "ElectraForSequenceClassification",
                "DistilBertModel",
                "RobertaModel");
        for (int i = 0; i < 200; i++) {
            String architecture = architectures.get(random.nextInt(architectures.size()));
            TinyCheckpoint checkpoint = random.nextBoolean()
                    ? TinyCheckpoint.decoder(temp.resolve("model"), architecture)
                    : TinyCheckpoint.bert(temp.resolve("model"), architecture, "");
            for (int k = random.nextInt(3); k >= 0; k--) {
                checkpoint.json(keys.get(random.nextInt(keys.size())), values.get(random.nextInt(values.size())));
            }
            Path target = temp.resolve("target" + i);
            checkpoint.write();
            try {
                EncoderExport.export(checkpoint.folder(), target, EncoderWeights.FLOAT)
                        .run();
            } catch (MalformedFileException | UnsupportedModelException e) {
                assertThat(target).doesNotExist();
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", round " + i, e);
            }
        }
    }
}
