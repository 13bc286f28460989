package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.finetune.internal.model.AdapterTexts;
import dev.pollux.finetune.internal.model.ConfigSections;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.model.QuantizedWeights;
import dev.pollux.finetune.internal.model.TiedHead;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.TypeNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Writes the files other than weights: configuration, tokenizer, chat template and copied files. */
final class ResultTexts {

    private static final String TOKENIZER = "tokenizer.json";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final String TEMPLATE = "chat_template.jinja";
    private static final List<String> SPECIAL_IDS = List.of("bos_token_id", "eos_token_id", "pad_token_id");

    private final MergeLayout layout;

    ResultTexts(MergeLayout layout) {
        this.layout = layout;
    }

    /** The donor's configuration with the changes of the merge. */
    ObjectNode config() {
        ObjectNode config = donor().config().deepCopy();
        StackedConfig.follow(config, layout.stack(), layout.predictionKept(), new Problems());
        QuantizedWeights.forget(config);
        layout.tasks().stream()
                .filter(task ->
                        LayerName.isEmbedding(task.name()) && task.shape().size() == 2)
                .findFirst()
                .ifPresent(task -> ConfigSections.of(config)
                        .forEach(text -> text.put("vocab_size", task.shape().get(0))));
        boolean head = layout.tasks().stream().anyMatch(task -> LayerName.isHead(task.name()));
        if (head) {
            TiedHead.untie(config);
        }
        donor().adapterTexts().map(AdapterTexts::endToken).ifPresent(end -> end.ifPresent(id -> endsWith(config, id)));
        config.put("dtype", TypeNames.of(mainType()));
        config.remove("torch_dtype");
        layout.join()
                .map(TokenizerJoin::owner)
                .filter(owner -> owner != donor())
                .ifPresent(owner -> {
                    for (String key : SPECIAL_IDS) {
                        JsonNode id = owner.config().get(key);
                        if (id != null) {
                            config.set(key, id);
                        }
                    }
                });
        return config;
    }

    /** Adds an end-of-text id. */
    private static void endsWith(ObjectNode config, int id) {
        List<Integer> ends = new ArrayList<>();
        JsonNode known = config.path("eos_token_id");
        (known.isArray() ? known : List.of(known)).forEach(end -> ends.add(end.asInt(id)));
        if (!ends.contains(id)) {
            ends.add(0, id);
            ArrayNode list = config.putArray("eos_token_id");
            ends.forEach(list::add);
        }
    }

    private InputModel donor() {
        return layout.donor().orElseThrow(() -> new IllegalStateException("a layout without problems has a donor"));
    }

    private DType mainType() {
        Map<DType, Long> bytes = new java.util.EnumMap<>(DType.class);
        layout.tasks().forEach(task -> bytes.merge(task.type(), task.bytes(), Long::sum));
        return bytes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(DType.F32);
    }

    /** Writes all files to {@code folder}. */
    void write(Path folder) {
        try {
            JsonFile.write(folder.resolve("config.json"), config());
            InputModel owner = layout.join().map(TokenizerJoin::owner).orElseGet(this::donor);
            boolean joined = layout.join().isPresent();
            Predicate<String> ofOwner =
                    name -> CarriedFiles.isOfTokenizer(name) && (!joined || CarriedFiles.fitsJoined(name));
            CarriedFiles.copy(
                    CarriedFiles.of(donor(), new Problems()), name -> !CarriedFiles.isOfTokenizer(name), folder);
            CarriedFiles.copy(CarriedFiles.of(owner, new Problems()), ofOwner, folder);
            for (Map.Entry<String, String> text : owner.texts().entrySet()) {
                if (ofOwner.test(text.getKey())) {
                    Files.writeString(folder.resolve(text.getKey()), text.getValue());
                }
            }
            if (owner.adapterTexts().isPresent()) {
                AdapterTexts texts = owner.adapterTexts().get();
                texts.replace(folder);
                CarriedFiles.copy(CarriedFiles.in(texts.folder(), new Problems()), ofOwner, folder);
                Path generation = folder.resolve("generation_config.json");
                Optional<ObjectNode> settings = JsonFile.object(generation).filter(json -> json.has("eos_token_id"));
                if (settings.isPresent() && texts.endToken().isPresent()) {
                    endsWith(settings.get(), texts.endToken().getAsInt());
                    JsonFile.write(generation, settings.get());
                }
            }
            layout.join().ifPresent(join -> JsonFile.write(folder.resolve(TOKENIZER), join.json()));
            writeTemplate(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot write the tokenizer into " + folder + ": " + e, e);
        }
    }

    private void writeTemplate(Path folder) throws IOException {
        Optional<String> template =
                layout.plan().chatTemplate().flatMap(choice -> ChatTemplates.resolve(choice, layout.models()));
        if (template.isEmpty()) {
            return;
        }
        Files.writeString(folder.resolve(TEMPLATE), template.get());
        Files.deleteIfExists(folder.resolve("chat_template.json"));
        Optional<ObjectNode> config = JsonFile.object(folder.resolve(TOKENIZER_CONFIG));
        if (config.isPresent() && config.get().has("chat_template")) { // the file takes precedence
            config.get().remove("chat_template");
            JsonFile.write(folder.resolve(TOKENIZER_CONFIG), config.get());
        }
    }
}
