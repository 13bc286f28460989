package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.MalformedFileException;
import dev.pollux.internal.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(NoOpenFiles.class)
class SafetensorsFolderTest {

    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    Path folder;

    /** Writes a file of scalars. */
    private void shard(String name, Map<String, Float> scalars) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.copyOf(scalars.keySet()))) {
            scalars.forEach((tensor, value) -> writer.put(tensor, DType.F32, List.of(), new float[] {value}));
            writer.finish();
        }
    }

    private void index(Map<String, ?> weights) throws IOException {
        index(Json.text(Map.of("metadata", Map.of("total_size", 8L), "weight_map", weights)));
    }

    private void index(String text) throws IOException {
        Files.writeString(folder.resolve(INDEX), text);
    }

    private void refused(String message) {
        assertThatThrownBy(() -> SafetensorsFolder.open(folder))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(message);
    }

    @Test
    void randomFoldersOfShardsGiveTheTensorsOfTheirIndex() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 10; run++) {
            Map<String, Map<String, Float>> shards = new LinkedHashMap<>();
            Map<String, String> weights = new LinkedHashMap<>();
            Map<String, Float> due = new LinkedHashMap<>();
            for (int i = 2 + random.nextInt(9); i > 0; i--) {
                String shard = random.nextInt(3) + "/part-" + random.nextInt(2) + ".safetensors";
                float value = random.nextFloat();
                shards.computeIfAbsent(shard, name -> new LinkedHashMap<>()).put("w." + i, value);
                weights.put("w." + i, shard);
                due.put("w." + i, value);
            }
            for (Map.Entry<String, Map<String, Float>> shard : shards.entrySet()) {
                shard.getValue().put("not in the index", 9f);
                shard(shard.getKey(), shard.getValue());
            }
            index(weights);
            assertThat(SafetensorsFolder.isIn(folder)).isTrue();
            try (SafetensorsFolder opened = SafetensorsFolder.open(folder)) {
                assertThat(opened.tensors().keySet()).as("seed %d", seed).containsExactlyElementsOf(due.keySet());
                due.forEach((name, value) -> assertThat(opened.floats(name))
                        .as("seed %d, %s", seed, name)
                        .containsExactly(value));
                assertThat(opened.files())
                        .containsExactlyInAnyOrderElementsOf(
                                shards.keySet().stream().map(folder::resolve).toList());
            }
        }
    }

    @Test
    void aWholeFileIsReadInPlaceOfAStaleIndex() throws IOException {
        index(Map.of("v", "absent.safetensors"));
        shard("model.safetensors", Map.of("w", 3f));
        try (SafetensorsFolder opened = SafetensorsFolder.open(folder)) {
            assertThat(opened.tensors()).containsOnlyKeys("w");
            assertThat(opened.bytes("w", 2, 2).remaining()).isEqualTo(2);
            assertThat(opened.floats("w")).containsExactly(3);
            assertThat(opened.files()).containsExactly(folder.resolve("model.safetensors"));
            assertThatThrownBy(() -> opened.bytes("v", 0, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("No tensor 'v' among 1");
        }
    }

    @Test
    void aFolderWithoutWeightsIsRefused() throws IOException {
        assertThat(SafetensorsFolder.isIn(folder)).isFalse();
        Files.createDirectories(folder.resolve("model.safetensors"));
        assertThat(SafetensorsFolder.isIn(folder)).isFalse();
        refused(folder + " holds neither model.safetensors nor model.safetensors.index.json; download the weights");
        shard("other.safetensors", Map.of("w", 3f));
        Files.delete(folder.resolve("model.safetensors"));
        shard("model.safetensors", Map.of("w", 3f));
        assertThat(SafetensorsFolder.isIn(folder)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "{\"weight_map\":[]}", "{\"weight_map\":null}", "12", "\uFEFF{}"})
    void anIndexWithoutWeightMapIsRefused(String text) throws IOException {
        index(text);
        refused(folder.resolve(INDEX) + " must hold an object weight_map");
    }

    @Test
    void anIndexThatIsNotJsonIsRefused() throws IOException {
        index("\uFEFF{]");
        refused(folder.resolve(INDEX) + " is not valid JSON: expected '\"' (character 2)");
    }

    @Test
    void aByteOrderMarkIsPassedOver() throws IOException {
        shard("a.safetensors", Map.of("w", 3f));
        index("\uFEFF{\"weight_map\":{\"w\":\"a.safetensors\"}}");
        try (SafetensorsFolder opened = SafetensorsFolder.open(folder)) {
            assertThat(opened.tensors()).containsOnlyKeys("w");
        }
    }

    /** Bytes that begin as the mark does, but are none. */
    @TestFactory
    Stream<DynamicTest> otherBytesBeforeTheIndexAreNoMark() {
        byte[] mark = "\uFEFF".getBytes(StandardCharsets.UTF_8);
        List<byte[]> heads = new ArrayList<>(List.of(new byte[] {mark[0]}, new byte[] {mark[0], mark[1]}));
        for (int i = 0; i < 3; i++) {
            byte[] other = mark.clone();
            other[i] = '{';
            heads.add(other);
        }
        return heads.stream()
                .map(head -> dynamicTest(Arrays.toString(head), () -> {
                    Files.write(folder.resolve(INDEX), head);
                    refused(folder.resolve(INDEX) + " is not UTF-8");
                }));
    }

    @Test
    void anIndexOfMoreThan64MebibytesIsRefused() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve(INDEX).toFile(), "rw")) {
            file.setLength((64L << 20) + 1);
        }
        refused(folder.resolve(INDEX) + " must be at most 67108864 bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../a.safetensors",
                "b/../a.safetensors",
                "/a.safetensors",
                "b//a.safetensors",
                "b/",
                ".a.safetensors",
                "b\\a.safetensors",
                "C:a.safetensors",
                "a\nb",
                "",
            })
    void aShardOutsideTheFolderIsRefused(String name) throws IOException {
        index(Map.of("w", name));
        refused(folder + ": shard name '" + name
                + "' must be a path within the folder, and no part of it may begin with a dot");
    }

    @Test
    void aShardThatIsMissingIsNamed() throws IOException {
        shard("a.safetensors", Map.of("v", 3f));
        Files.createDirectories(folder.resolve("b.safetensors"));
        index(Map.of("v", "a.safetensors", "w", "b.safetensors"));
        refused(folder + ": shard b.safetensors is missing; download it");
    }

    @Test
    void aShardWithoutATensorOfTheIndexIsNamed() throws IOException {
        shard("a.safetensors", Map.of("v", 3f));
        index(Map.of("w", "a.safetensors"));
        refused(folder
                + ": the index puts tensor w into shard a.safetensors, which does not hold it; download the shards"
                + " again");
    }

    @Test
    void aDamagedShardClosesThoseBeforeIt() throws IOException {
        shard("a.safetensors", Map.of("v", 3f));
        Files.write(folder.resolve("b.safetensors"), new byte[0]);
        index(Map.of("v", "a.safetensors", "w", "b.safetensors"));
        refused(folder.resolve("b.safetensors")
                + " is not a valid safetensors file: it is empty; download the file again");
    }

    @Test
    void aShardThatIsNoTextIsRefused() throws IOException {
        index(Map.of("w", 7L));
        refused(folder + ": shard 7 is missing; download it");
    }
}
